"""Holes filled with as little curvature as possible: the biharmonic equation, with multigrid for wide holes.

Damelin and Hoang 2018 (doi:10.1155/2018/3950312); Briggs, Henson and McCormick 2000 (doi:10.1137/1.9780898719505).
"""

import numpy as np

from helpers.operators import Mask, Operator
from helpers.restoration.common import WIDE_HOLE, Report, answer, check, has_matrix, stopping, widest_hole
from helpers.restoration.linear import conjugate_gradients, energy, laplacian


def biharmonic(y, operator, sigma=0.0, *, tolerance=1e-5, iterations=2000, report=False):
    """Fill lost pixels so that the picture curves as little as possible: minimise |Δ x|², known pixels kept.

    The minimum solves the biharmonic equation ΔΔx = 0 at every unknown pixel, with the five-point Laplacian and the
    border mirrored: exactly the equations of ``skimage.restoration.inpaint_biharmonic`` (Damelin and Hoang 2018,
    doi:10.1155/2018/3950312). They are solved by conjugate gradients. Where few pixels are lost, those alone are worked
    on; wide holes, for which conjugate gradients need as many steps as the hole is wide, squared, get a multigrid
    preconditioner. As there, the result stays within the range of the known pixels.

    Parameters
    ----------
    y : picture
        The known pixels; what stands at the unknown ones does not matter.
    operator : Mask
        Which pixels are known.
    sigma : float
        Not used: known pixels are kept as they are, noise and all.
    tolerance, iterations
        Stop when the residual of the equations has fallen to ``tolerance`` times its first value.
    report : bool
        Also return a :class:`Report`; its objective is ½ |Δ x|².

    Raises
    ------
    ValueError
        For an operator that is no mask.
    """
    if isinstance(operator, Operator) and not isinstance(operator, Mask):
        raise ValueError(f"biharmonic fills holes and nothing else: its operator must be a Mask, but {operator!r} came")
    y, sigma, _ = check("biharmonic", y, operator, sigma)
    tolerance, iterations = stopping(tolerance, iterations)
    known = operator.mask if y.ndim == 2 else operator.mask[..., None]
    if known.all():
        return answer(y.copy(), y, Report(0, [], sigma=sigma), report)
    start, unknown = y * known, ~operator.mask
    solve = _by_matrix if has_matrix(operator.mask) else _by_strips
    x, values, converged = solve(start, unknown, tolerance, iterations)
    first = 0.5 * energy(laplacian(start))
    seen = y[operator.mask]  # (known pixels,) or (known pixels, channels)
    x = np.where(known, y, np.clip(x, seen.min(axis=0), seen.max(axis=0)))
    return answer(x, y, Report(len(values) - 1, [first + value for value in values], converged, sigma=sigma), report)


def _by_strips(start, unknown, tolerance, iterations):
    """Solve on the whole picture; return x with zeros at the known pixels, and what conjugate gradients say."""
    height = start.shape[0]
    rows = max(2**15 * height // start.size, 4)
    unknown = (unknown if start.ndim == 2 else unknown[..., None]).astype(start.dtype)

    def bend(x):
        """Return ΔΔx at the unknown pixels, by strips of rows that stay in the processor's cache."""
        bent = np.empty_like(x)
        for top in range(0, height, rows):
            bottom, first = min(top + rows, height), max(top - 2, 0)  # ΔΔ looks two rows up and two down
            strip = laplacian(laplacian(x[first : bottom + 2]))
            np.multiply(strip[top - first : bottom - first], unknown[top:bottom], out=bent[top:bottom])
        return bent

    return conjugate_gradients(bend, -bend(start), np.zeros_like(start), tolerance, iterations, "biharmonic")


def _by_matrix(start, unknown, tolerance, iterations):
    """Solve for the unknown pixels alone, with the matrix of their equations; return the same."""
    rows = _laplacian_rows(unknown)
    matrix = rows @ rows.T
    b = -laplacian(laplacian(start))[unknown].reshape(len(matrix.indptr) - 1, -1).astype(np.float64)
    precondition = _Multigrid(matrix, unknown).solve if widest_hole(~unknown) > WIDE_HOLE else None
    values, *said = conjugate_gradients(
        matrix.__matmul__, b, np.zeros_like(b), tolerance, iterations, "biharmonic", precondition)
    x = np.zeros_like(start)
    x[unknown] = values.reshape(-1, *start.shape[2:])
    return x, *said


class _Multigrid:
    """One V-cycle of multigrid for ΔΔ on the unknown pixels, as a preconditioner: an approximate inverse.

    Conjugate gradients remove fast waves of the error at once and slow waves hardly at all; on a grid with every
    second pixel the slow waves are fast. So: smooth, hand the remaining error to the coarser grid, add its
    correction, smooth again (Briggs, Henson and McCormick 2000, doi:10.1137/1.9780898719505). The coarse grid is
    every second pixel of every second row, as far as unknown; the coarse equations are those of Galerkin, Pᵀ M P, with
    bilinear interpolation P.
    """

    def __init__(self, matrix, unknown):
        from scipy import sparse
        from scipy.sparse.linalg import splu

        self.matrix = matrix
        coarse = unknown[::2, ::2]
        if matrix.shape[0] <= 1000 or not coarse.any():
            self.solve = splu(sparse.csc_array(matrix)).solve
            return
        self.solve = self._cycle
        i, j = np.nonzero(unknown)
        number = np.full(coarse.shape, -1)  # of each coarse pixel
        number[coarse] = np.arange(np.count_nonzero(coarse))
        # An odd row lies between two coarse rows, an even row on one, which then comes twice. Beyond the border the
        # picture is its mirror image, and the last coarse row comes twice.
        number = np.pad(number, (0, 1), mode="edge")
        columns = np.concatenate([number[(i + down) // 2, (j + right) // 2] for down in (0, 1) for right in (0, 1)])
        rows, inside = np.tile(np.arange(i.size), 4), columns >= 0
        self.prolong = sparse.csr_array((np.full(np.count_nonzero(inside), 0.25), (rows[inside], columns[inside])),
                                        shape=(i.size, np.count_nonzero(coarse)))
        self.restrict = sparse.csr_array(self.prolong.T)
        self.diagonal = matrix.diagonal()[:, None]
        # damped Jacobi: 4/3 over the largest eigenvalue of D⁻¹ M, here bounded by its row sums (Gershgorin)
        self.damping = 4 / 3 / float((abs(matrix).sum(axis=1) / matrix.diagonal()).max())
        self.coarser = _Multigrid(sparse.csr_array(self.restrict @ matrix @ self.prolong), coarse)

    def _smooth(self, x, b):
        for _ in range(2):
            x = x + self.damping * (b - self.matrix @ x) / self.diagonal
        return x

    def _cycle(self, b):
        x = self._smooth(np.zeros_like(b), b)
        x = x + self.prolong @ self.coarser.solve(self.restrict @ (b - self.matrix @ x))
        return self._smooth(x, b)


def _laplacian_rows(unknown):
    """Return the rows of the Laplacian that belong to unknown pixels, a sparse matrix (unknown pixels, all pixels)."""
    from scipy.sparse import csr_array

    (height, width), (i, j) = unknown.shape, np.nonzero(unknown)
    rows, columns, values = [], [], []
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = (i + down >= 0) & (i + down < height) & (j + right >= 0) & (j + right < width)
        row, here = np.flatnonzero(neighbour), (i * width + j)[neighbour]
        rows += [row, row]
        columns += [here + down * width + right, here]
        values += [np.ones(row.size), -np.ones(row.size)]
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return csr_array(entries, shape=(i.size, height * width))
