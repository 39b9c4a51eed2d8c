"""Posteriors that are known exactly, to hold samplers against: a damaged robot's, and a Gaussian mixture's.

The world of robots (:mod:`helpers.images.robots`) holds 10⁶ pictures. So Bayes' rule can be computed as it is written:
for each robot the probability of the measurement, then all of them divided by their sum.
"""

from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.images import robots
from helpers.operators import Operator

SAME = 1e-8  # of squared distance: measurements that differ by less count as equal where there is no noise
LIKELY = 1e-12  # of probability: robots below it change no mean
SPARSE = 0.02  # share of entries up to which a sparse matrix is the faster one


class RobotPosterior(NamedTuple):
    """The probability of each of the 10⁶ robots, given a measurement."""

    probabilities: np.ndarray  # float64, ten numbers along each of six axes: colour, body, head, accessory, eyes, mouth

    def odds(self, attribute):
        """Return the probabilities of the ten values of one attribute, whatever the others are, shape (10,)."""
        axis = robots.ATTRIBUTES.index(validation.choice(attribute, "attribute", robots.ATTRIBUTES))
        return self.probabilities.sum(axis=tuple(i for i in range(6) if i != axis))

    def draw(self, n, seed):
        """Draw robots from the posterior: attributes, int (n, 6)."""
        n = validation.integer(n, "n", low=1)
        rng = np.random.default_rng(validation.seed(seed))
        steps = np.cumsum(self.probabilities.ravel())
        number = np.searchsorted(steps, rng.random(n) * steps[-1], side="right")
        return robots.from_index(np.minimum(number, robots.WORLD - 1))

    def mean(self, size=32):
        """Return the mean picture, float32 (size, size, 3): of all answers the one of least expected squared error."""
        flat = self.probabilities.ravel()
        likely = np.flatnonzero(flat > LIKELY * flat.max())
        total = np.zeros((size, size, 3))
        for start in range(0, len(likely), 4096):
            some = likely[start : start + 4096]
            total += np.tensordot(flat[some], robots.render(robots.from_index(some), size).astype(np.float64), 1)
        return (total / flat[likely].sum()).astype(np.float32)


def exact_posterior(y, operator, sigma, open=robots.ATTRIBUTES, attributes=None, prior=None):
    """Return the posterior of the robot behind a measurement, by a sum over all robots that could be there.

    The measurement is y = A(x) + σ n, with Gaussian noise n of spread 1 in each pixel that ``operator`` lets through,
    and A linear. Nothing is approximated: the squared distance of y to A(x) is computed for each robot, in double
    precision. (Eyes and mouth share no pixel. So their parts of a robot add up, and 10⁴ pictures with the 20
    parts that each may get stand for all 10⁶.)

    Parameters
    ----------
    y : array (h, w, 3) or (h, w, 1)
        What is seen of one robot of 32 × 32 or 64 × 64 pixels on white.
    operator : Operator
        What damaged it, for images (size, size, 3).
    sigma : float
        Spread of the noise, at least 0. Without noise, all robots whose measurement is y are left, and only they.
    open : sequence of str
        The attributes in question; all others are known to be those of ``attributes``.
    attributes : array of int (6,), optional
        The robot's known attributes; those that are ``open`` are not looked at.
    prior : array of ten numbers along each of six axes, optional
        How probable each robot is before anything is seen, up to a factor. By default all are alike.

    Returns
    -------
    RobotPosterior

    Raises
    ------
    ValueError
        If the shapes do not fit each other, for σ below 0, or if no robot can have left y.
    """
    if not isinstance(operator, Operator):
        raise TypeError(f"operator must be one of helpers.operators, but {type(operator).__name__} came")
    y = validation.array(y, "y", ranks=(3,)).astype(np.float64)
    sigma = validation.number(sigma, "sigma", low=0)
    size = _size(y, operator)
    choices = _choices(open, attributes)
    prior = _prior(prior)
    cost = np.full((robots.CHOICES,) * 6, np.inf)
    squares, toward = _quadratic(operator, y, size)
    for colour in choices[0]:
        part = {kind: robots.parts(size)[kind][colour, choices[i]].astype(np.float64)
                for i, kind in enumerate(robots.KINDS, start=1)}
        cost[np.ix_([colour], *choices[1:])] = _costs(part, squares, toward, size)
    # what is left of |y - A(white)|² does not depend on the robot, and is needed only where nothing is forgiven
    if sigma == 0:
        constant = np.square(y - operator.forward(np.ones((size, size, 3)))).sum()
        likelihood = (cost + constant <= SAME).astype(np.float64)
    else:
        possible = np.isfinite(cost) & (prior > 0)  # the best that the prior excludes may fit better by far
        likelihood = np.exp(-(cost - cost[prior > 0].min()) / (2 * sigma**2), where=possible, out=np.zeros_like(cost))
    joint = likelihood * prior
    if not joint.sum() > 0:
        raise ValueError("y was left by no robot: without noise no measurement of the world is equal to it")
    return RobotPosterior(joint / joint.sum())


def _costs(part, squares, toward, size):
    """Return |y - A(x)|², up to a constant, of all robots of one colour: (bodies, heads, accessories, eyes, mouths)."""
    base = np.zeros((1, 1, 1, size, size, 3))  # white is 0 here
    places = {"body": np.s_[:, None, None], "head": np.s_[None, :, None], "accessory": np.s_[None, None]}
    for kind, where in places.items():
        base = _over(base, part[kind][where])
    counts = base.shape[:3]
    base = base.reshape(-1, size * size * 3)
    pull = (squares @ base.T).T  # AᵀA b
    total = np.einsum("bp,bp->b", base, pull - 2 * toward)[:, None, None]
    changes, pixels = [], []
    for kind in ("eyes", "mouth"):
        place = np.flatnonzero(np.repeat(part[kind][..., 3].any(axis=0).ravel(), 3))
        over = part[kind].reshape(len(part[kind]), -1, 4)
        alpha = np.repeat(over[..., 3], 3, axis=1)[:, place]
        shade = over[..., :3].reshape(len(over), -1)[:, place] - alpha
        change = shade - alpha * base[:, None, place]  # (bases, designs, pixels of this kind)
        own = squares[place][:, place]
        slope = 2 * (pull - toward)[:, None, place] + _times(change, own)
        alone = np.einsum("bkp,bkp->bk", change, slope)
        total = total + (alone[:, :, None] if kind == "eyes" else alone[:, None, :])
        changes.append(change)
        pixels.append(place)
    between = squares[pixels[0]][:, pixels[1]]
    if (between.nnz if hasattr(between, "nnz") else between.any()):
        total = total + 2 * np.einsum("bep,bmp->bem", _times(changes[0], between), changes[1])
    return total.reshape(*counts, *total.shape[1:])


def _times(x, matrix):
    """Return ``x @ matrix`` for an array of any rank and a matrix that may be sparse."""
    flat = x.reshape(-1, x.shape[-1])
    return np.asarray((matrix.T @ flat.T).T).reshape(*x.shape[:-1], matrix.shape[1])


def _over(x, part):
    return part[..., :3] - part[..., 3:] + (1 - part[..., 3:]) * x


def _quadratic(operator, y, size):
    """Return AᵀA and Aᵀ(y - A(white)), over all pixels and channels of a picture."""
    from scipy import sparse

    pixels = size * size * 3
    basis, places, values = np.zeros((size, size, 3)), [], []
    for p in range(pixels):
        basis.flat[p] = 1
        row = operator.forward(basis).ravel()
        basis.flat[p] = 0
        places.append(np.flatnonzero(np.abs(row) > 1e-14 * np.abs(row).max()))  # not a Fourier transform's noughts
        values.append(row[places[-1]])
    ends = np.cumsum([0, *map(len, places)])
    columns = sparse.csr_matrix((np.concatenate(values), np.concatenate(places), ends), shape=(pixels, row.size))
    toward = columns @ (y - operator.forward(np.ones((size, size, 3)))).ravel()
    squares = (columns @ columns.T).tocsr()
    return (squares if squares.nnz <= SPARSE * pixels**2 else squares.toarray()), toward


def _size(y, operator):
    for size in robots.SIZES:
        try:
            seen = operator.forward(np.zeros((size, size, 3)))
        except ValueError:
            continue
        if seen.shape == y.shape:
            return size
    raise ValueError(f"y has shape {y.shape}, and the operator ({operator.name}) gives none such of a robot of "
                     f"{' or '.join(map(str, robots.SIZES))} pixels")


def _choices(open, attributes):
    """Return for each attribute the values that it may have."""
    if isinstance(open, str):
        open = (open,)
    for name in open:
        validation.choice(name, "open", robots.ATTRIBUTES)
    if set(open) == set(robots.ATTRIBUTES):
        return [np.arange(robots.CHOICES)] * 6
    if attributes is None:
        raise ValueError(f"attributes must be given where only {', '.join(open) or 'nothing'} is open")
    known = np.array(validation.array(attributes, "attributes", ranks=(1,)))
    if known.shape != (6,):
        raise ValueError(f"attributes must have shape (6,), but its shape is {known.shape}")
    known = [0 if name in open else value for name, value in zip(robots.ATTRIBUTES, known, strict=True)]
    robots.index(np.array(known, dtype=np.int64) if all(float(v).is_integer() for v in known) else np.array(known))
    return [np.arange(robots.CHOICES) if name in open else np.array([int(value)])
            for name, value in zip(robots.ATTRIBUTES, known, strict=True)]


def _prior(prior):
    shape = (robots.CHOICES,) * 6
    if prior is None:
        return np.ones(shape)
    prior = validation.array(prior, "prior", ranks=(6,)).astype(np.float64)
    if prior.shape != shape or prior.min() < 0 or not prior.any():
        raise ValueError(f"prior must hold numbers of at least 0, not all 0, of shape {shape}, but its shape is "
                         f"{prior.shape} and it spans [{prior.min():.3g}, {prior.max():.3g}]")
    return prior


# ------------------------------------------------------------------------------------------------ Gaussian mixtures


class Mixture(NamedTuple):
    """A mixture of K Gaussians in d dimensions."""

    weights: np.ndarray  # (K,), with sum 1
    means: np.ndarray  # (K, d)
    covariances: np.ndarray  # (K, d, d)

    def draw(self, n, seed):
        """Draw ``n`` points, float64 (n, d)."""
        rng = np.random.default_rng(validation.seed(seed))
        which = rng.choice(len(self.weights), size=validation.integer(n, "n", low=1), p=self.weights)
        roots = np.linalg.cholesky(self.covariances)
        noise = rng.standard_normal((n, self.means.shape[1]))
        return self.means[which] + np.einsum("nij,nj->ni", roots[which], noise)

    def log_density(self, x):
        """Return the logarithm of the density at points (N, d), shape (N,)."""
        from scipy.special import logsumexp

        each = [_log_gaussian(x - mean, covariance)
                for mean, covariance in zip(self.means, self.covariances, strict=True)]
        return logsumexp(np.array(each) + np.log(self.weights)[:, None], axis=0)

    def denoise(self, x, sigma):
        """Return the mean of the clean point given x = clean + σ noise, for points (N, d): the perfect denoiser."""
        told = self.posterior(np.eye(self.means.shape[1]), np.asarray(x, np.float64), sigma)
        return np.einsum("kn,knd->nd", told[0], told[1])

    def posterior(self, A, y, sigma):
        """Return weights (K, N), means (K, N, d) and covariances (K, d, d) of x given y = A x + σ noise, y (N, m).

        For each Gaussian this is the formula of linear regression; its weight grows with the probability of y under it.
        """
        log_weights, means, covariances = [], [], []
        for weight, mean, covariance in zip(self.weights, self.means, self.covariances, strict=True):
            seen = A @ covariance @ A.T + sigma**2 * np.eye(len(A))
            gain = np.linalg.solve(seen, A @ covariance).T
            surprise = y - mean @ A.T
            log_weights.append(np.log(weight) + _log_gaussian(surprise, seen))
            means.append(mean + surprise @ gain.T)
            covariances.append(covariance - gain @ A @ covariance)
        log_weights = np.array(log_weights)
        odds = np.exp(log_weights - log_weights.max(axis=0))
        return odds / odds.sum(axis=0), np.array(means), np.array(covariances)


def _log_gaussian(x, covariance):
    """Return log N(x; 0, covariance) for x (N, d)."""
    root = np.linalg.cholesky(covariance)
    scaled = np.linalg.solve(root, np.asarray(x, np.float64).T)
    return -0.5 * np.square(scaled).sum(axis=0) - np.log(np.diag(root)).sum() - len(root) / 2 * np.log(2 * np.pi)
