"""Total variation: few edges, however high, by primal-dual steps that know how far from the minimum they are.

Rudin, Osher and Fatemi 1992 (doi:10.1016/0167-2789(92)90242-F); Chambolle and Pock 2011
(doi:10.1007/s10851-010-0251-1).
"""

import math

import numpy as np

from helpers import validation
from helpers.operators import Identity, Mask, norm
from helpers.restoration.common import ROUNDING, Report, answer, check, steps, stopping
from helpers.restoration.inpainting import biharmonic
from helpers.restoration.linear import circular_transfer, energy, is_positive
from helpers.restoration.quadratic import GRADIENT_ENERGY, tikhonov


def total_variation(y, operator, sigma, *, weight=None, tolerance=0.02, iterations=500, report=False):
    """Minimise ½ |A x - y|² + weight · TV(x) over pictures x in [0, 1]: believe in few edges, however high.

    Rudin, Osher and Fatemi 1992 (doi:10.1016/0167-2789(92)90242-F), isotropic. TV(x) is the sum over all 2 × 2 cells
    of the length of the gradient there, measured by all four differences in the cell: with the usual two, a mirrored
    picture would have another total variation. In colour the length is taken over the channels together, so edges
    stay in one place (Bresson and Chan 2008, doi:10.3934/ipi.2008.2.455).

    The algorithm is Chambolle and Pock's primal-dual method (2011, doi:10.1007/s10851-010-0251-1): for A = I the
    accelerated one (algorithm 2), elsewhere algorithm 1 with the data term dualised as well, as Sidky, Jørgensen and
    Pan do for tomography (2012, doi:10.1088/0031-9155/57/10/3065). It needs nothing of A but forward and adjoint.

    Parameters
    ----------
    y, operator, sigma
        The measurement, its operator and its noise level.
    weight : float, optional
        Above 0. By default c · sigma · |A| where |A| is the mean gain of A for white noise: the weight must outweigh
        the noise that Aᵀ hands back (Bickel, Ritov and Tsybakov 2009, doi:10.1214/08-AOS620). c = 0.8, in colour
        1.2, suits ``photos("train")``.
    tolerance : float
        Stop when the duality gap proves the objective to be within this fraction of its minimum.
    iterations : int
        At most so many steps.
    report : bool
        Also return a :class:`Report` with objective and relative gap.
    """
    y, sigma, shape = check("total_variation", y, operator, sigma)
    tolerance, iterations = stopping(tolerance, iterations)
    if isinstance(operator, Mask) and operator.mask.all():
        operator = Identity()
    if weight is not None:
        weight = validation.number(weight, "weight", low=0, open_low=True)
    else:
        weight = (0.8 if math.prod(shape[2:]) == 1 else 1.2) * (
            sigma if isinstance(operator, Identity) else max(sigma, ROUNDING) * _gain(operator, shape))
    if weight == 0:  # no noise, no damage
        return answer(np.clip(y, 0, 1), y, Report(0, [0.0], weight=0.0, sigma=sigma, gap=0.0), report)
    solver = _denoise_by_tv if isinstance(operator, Identity) else _invert_by_tv
    x, taken, objective, gap = solver(y, operator, shape, weight, tolerance, iterations)
    return answer(x, y, Report(taken, objective, gap <= tolerance, weight, sigma, gap), report)


class _Cells:
    """The gradient G of total variation: the four differences in every 2 × 2 cell of pixels.

    The picture gets a frame of copied pixels, so that every pixel lies in four cells, and becomes one long row of
    w = W + 2 pixels after w pixels: the neighbour below stands w places on, and each difference of the whole picture
    is one subtraction of two contiguous arrays, which is four times as fast as slicing rows. The cell of a pixel has
    it as its upper left corner. Colour pictures are (3, row), differences (4, channels, row).

    TV(x) = Σ √½ |G x|, where ½ is there because a cell holds each direction twice, and |G|² <= 16. Cells in the frame
    lie half outside and count half: a step has a total variation of its height times its length.
    """

    scale = math.sqrt(0.5)
    squared_norm = 16

    def __init__(self, shape, dtype, pictures):
        self.height, self.width = shape[0] + 2, shape[1] + 2
        self.channels, self.dtype, self.shape = (shape[2] if len(shape) == 3 else 1), dtype, shape
        # All memory at once, for p, the differences to the right and downwards, two helpers and so many pictures: the
        # system hands out one large block six times as fast as many small ones.
        memory = np.zeros((8 + pictures, self.channels, self.height * self.width), dtype)
        self.p, (self.across, self.down), self.pictures = memory[:4], memory[4:6], memory[8:]
        self.length, self.square = memory[6:8, 0]
        self.share = np.ones(memory.shape[2], dtype)
        for border in (np.s_[0], np.s_[-2], np.s_[:, 0], np.s_[:, -2]):
            self.grid(self.share)[border] = 0.5

    def grid(self, row):
        """Show a long row as the framed picture that it is."""
        return row.reshape(*row.shape[:-1], self.height, self.width)

    def inside(self, row):
        """Show the picture (channels, H, W) without its frame."""
        return self.grid(row)[:, 1:-1, 1:-1]

    def write(self, x, row):
        """Copy a picture into a long row."""
        self.inside(row)[...] = np.moveaxis(x.reshape(*x.shape[:2], -1), 2, 0)

    def read(self, row):
        """Copy a picture out of a long row."""
        return np.ascontiguousarray(np.moveaxis(self.inside(row), 0, 2)).reshape(self.shape)

    def renew_frame(self, x):
        """Copy the border of x to its frame."""
        picture = self.grid(x)
        picture[:, 0], picture[:, -1] = picture[:, 1], picture[:, -2]
        picture[:, :, 0], picture[:, :, -1] = picture[:, :, 1], picture[:, :, -2]

    def smooth(self, x):
        """Replace x by its means over 3 × 3 pixels with weights 1 2 1, as pairs of pairs."""
        self.renew_frame(x)
        w, pairs = self.width, self.across
        np.add(x[:, 1:], x[:, :-1], out=pairs[:, 1:])
        np.add(pairs[:, 1:], pairs[:, :-1], out=x[:, :-1])
        np.add(x[:, w:], x[:, :-w], out=pairs[:, w:])
        np.add(pairs[:, w:], pairs[:, :-w], out=x[:, :-w])
        x *= 1 / 16

    def differences(self, x):
        """Write the differences of x to its neighbours on the right and below. The frame of x is renewed."""
        self.renew_frame(x)
        w = self.width
        np.subtract(x[:, 1:], x[:, :-1], out=self.across[:, :-1])
        np.subtract(x[:, w:], x[:, :-w], out=self.down[:, :-w])
        return self.across, self.down

    def add_gradient(self, x, p):
        """Add G x to p."""
        w, (across, down) = self.width, self.differences(x)
        p[0] += across
        p[1][:, :-w] += across[:, w:]
        p[2] += down
        p[3][:, :-1] += down[:, 1:]
        cells = self.grid(p)  # the last row and the last column of the frame are no cell's upper left corner
        cells[..., -1, :] = 0
        cells[..., -1] = 0

    def transposed_gradient(self, p, out):
        """Write Gᵀ p to ``out``: each pixel gets what its cells say, with their signs."""
        w, picture, across, down = self.width, self.grid(out), self.across, self.down
        across[:, :w], down[:, 0] = p[0][:, :w], p[2][:, 0]
        np.add(p[0][:, w:], p[1][:, :-w], out=across[:, w:])
        np.add(p[2][:, 1:], p[3][:, :-1], out=down[:, 1:])
        out[:, 0] = -across[:, 0]
        np.subtract(across[:, :-1], across[:, 1:], out=out[:, 1:])
        out -= down
        out[:, w:] += down[:, :-w]
        # the frame copies the border, so what it gets belongs to the border
        picture[:, 1] += picture[:, 0]
        picture[:, -2] += picture[:, -1]
        picture[:, :, 1] += picture[:, :, 0]
        picture[:, :, -2] += picture[:, :, -1]
        picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1] = 0, 0, 0, 0

    def lengths(self, p):
        """Return |p| in every cell, over its four differences and all channels."""
        parts = p.reshape(-1, p.shape[-1])
        np.multiply(parts[0], parts[0], out=self.length)
        for part in parts[1:]:
            np.multiply(part, part, out=self.square)
            self.length += self.square
        return np.sqrt(self.length, out=self.length)

    def shorten(self, p, radius):
        """Shorten p in every cell to at most its ``radius``: the projection onto what TV allows its dual variable."""
        factor = self.lengths(p)
        np.maximum(factor, radius, out=factor)
        np.divide(radius, factor, out=factor)
        for part in p.reshape(-1, p.shape[-1]):
            part *= factor

    def total_variation(self, x):
        """Return TV(x)."""
        w, (across, down) = self.width, self.differences(x)
        across *= across
        down *= down
        square = across + down
        square[:, :-w] += across[:, w:]
        square[:, :-1] += down[:, 1:]
        length = np.sqrt(square.sum(axis=0))
        length *= self.share
        return self.scale * float(self.grid(length)[:-1, :-1].sum(dtype=np.float64))


def _denoise_by_tv(y, operator, shape, weight, tolerance, iterations):
    """Minimise ½ |x - y|² + weight TV(x), x in [0, 1], by Chambolle and Pock's algorithm 2.

    The saddle point of ½ |x - y|² + <G x, p> over x and |p| <= weight √½: p climbs, x descends, and because the
    objective is strongly convex the steps of x may shrink so that the gap falls like 1 / steps².
    """
    cells = _Cells(shape, y.dtype, pictures=4)
    radius = (weight * cells.scale) * cells.share
    p, (data, x, ahead, force) = cells.p, cells.pictures
    cells.write(y, data)
    # First guess: the dual variable points along the gradient of the smoothed picture.
    ahead[...] = data
    cells.smooth(ahead)
    cells.add_gradient(ahead, p)
    cells.shorten(p, radius)
    cells.transposed_gradient(p, force)
    np.subtract(data, force, out=x)
    np.clip(x, 0, 1, out=x)
    tau = 0.6  # the step of x
    step_p = 1 / (cells.squared_norm * tau)  # the longest that convergence allows
    np.multiply(x, step_p, out=ahead)
    objective, look = [], 10
    for step in steps(iterations, "total_variation"):
        cells.add_gradient(ahead, p)
        cells.shorten(p, radius)
        cells.transposed_gradient(p, force)
        # x <- argmin over [0, 1] of ½ |x - y|² + <x, force> + |x - x_before|² / (2 tau); ``ahead`` holds the new x
        np.subtract(data, force, out=ahead)
        ahead *= tau
        ahead += x
        ahead *= 1 / (1 + tau)
        np.clip(ahead, 0, 1, out=ahead)
        x, ahead = ahead, x
        if step in (look, iterations):
            gap = _denoising_gap(cells, x, p, force, data, weight, objective)
            if gap <= tolerance:
                break
            look = _next_look(step, gap, tolerance)
        theta = 1 / math.sqrt(1 + 2 * tau)
        tau, step_p = tau * theta, step_p / theta
        # ``ahead`` holds x before; look ahead by the step just taken: step_p times x + theta (x - x before)
        ahead *= -theta * step_p
        np.multiply(x, (1 + theta) * step_p, out=force)
        ahead += force
    return cells.read(x), step, objective, gap


def _denoising_gap(cells, x, p, force, data, weight, objective):
    """Return the relative duality gap of x and p, where force = Gᵀ p.

    For any allowed p, no x in [0, 1] has an objective under the minimum of ½ |x - y|² + <x, force>.
    """
    primal = 0.5 * energy(cells.inside(x) - cells.inside(data)) + weight * cells.total_variation(x)
    force, data = cells.inside(force), cells.inside(data)
    lowest = np.clip(data - force, 0, 1)
    dual = 0.5 * energy(lowest - data) + float(np.sum(lowest * force, dtype=np.float64))
    objective.append(primal)
    return _relative_gap(primal, dual)


def _relative_gap(primal, dual):
    return max(primal - dual, 0.0) / primal if primal > 0 else 0.0


def _next_look(step, gap, tolerance):
    """Say when to look at the gap again: looking costs a step, and the gap falls about like 1 / steps²."""
    return step + min(max(math.ceil(step * (math.sqrt(gap / max(tolerance, 1e-12)) - 1)), 1), 50)


def _invert_by_tv(y, operator, shape, weight, tolerance, iterations):
    """Minimise ½ |A x - y|² + weight TV(x), x in [0, 1], by Chambolle and Pock's algorithm 1.

    The saddle point of <A x - y, q> - ½ |q|² + <G x, p> over x, q and |p| <= weight √½. Because x is bounded, the
    gap is finite whatever p and q are.
    """
    cells = _Cells(shape, y.dtype, pictures=1)
    radius = (weight * cells.scale) * cells.share
    p, (row,), q = cells.p, cells.pictures, np.zeros_like(y)
    squared_norm = _squared_norm(operator, shape)
    # Steps that need about equally many iterations for deblurring, inpainting and super-resolution of photographs
    # in [0, 1]; 16 step_p + |A|² step_q = 1 / tau is the longest that convergence allows.
    tau = 20.0 / max(squared_norm, 1.0)
    step_p = 0.5 / (cells.squared_norm * tau)
    step_q = 0.5 / (max(squared_norm, 1e-12) * tau)
    x = np.clip(first_guess(y, operator, ROUNDING), 0, 1)
    ahead = x
    objective, look = [], 20
    for step in steps(iterations, "total_variation"):
        cells.write(ahead * step_p, row)
        cells.add_gradient(row, p)
        cells.shorten(p, radius)
        q = (q + step_q * (operator.forward(ahead) - y)) / (1 + step_q)
        cells.transposed_gradient(p, row)
        force = cells.read(row) + operator.adjoint(q)
        before, x = x, np.clip(x - tau * force, 0, 1)
        ahead = 2 * x - before
        if step in (look, iterations):
            cells.write(x, row)
            primal = 0.5 * energy(operator.forward(x) - y) + weight * cells.total_variation(row)
            # the least of <x, force> over [0, 1] takes x = 1 where the force is negative
            dual = float(np.minimum(force, 0).sum(dtype=np.float64)) - 0.5 * energy(q) - float(np.vdot(q, y))
            objective.append(primal)
            gap = _relative_gap(primal, dual)
            if gap <= tolerance:
                break
            look = _next_look(step, gap, tolerance)
    return x, step, objective, gap


def first_guess(y, operator, sigma):
    """Return a smooth picture that explains y: where iterations start."""
    if isinstance(operator, Mask):
        return biharmonic(y, operator)
    weight = 2 * max(sigma, ROUNDING) ** 2 / GRADIENT_ENERGY  # a start a little smoother than Tikhonov's own answer
    return tikhonov(y, operator, sigma, weight=weight, tolerance=1e-3, iterations=50)


def _gain(operator, shape):
    """Return the root mean square gain of A for white noise, |A|_F / √(H · W).

    The noise is random signs that no flip and no transposition changes, so a flipped operator has the same gain.
    """
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in shape[:2])
    size = max(rows.max(), columns.max()) + 1
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), (size, size))
    signs = np.triu(signs) + np.triu(signs, 1).T
    noise = signs[np.ix_(rows, columns)]
    return math.sqrt(energy(operator.forward(noise)) / noise.size)


def _squared_norm(operator, shape):
    """Return a bound on |A|², the largest eigenvalue of Aᵀ A."""
    if is_positive(operator):  # Schur's test: a matrix without negative entries has no eigenvalue over its row sums
        return float(operator.adjoint(operator.forward(np.ones(shape[:2], np.float32))).max())
    transfer = circular_transfer(operator, shape)
    if transfer is not None:
        return float(np.abs(transfer).max() ** 2)
    return 1.1 * norm(operator, shape[:2], iterations=30) ** 2  # power iteration comes from below
