"""Four ways to damage a digit, and two questions about its restoration: how near is it, and can it still be read?"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers import metrics, validation
from helpers.images import digits
from helpers.operators import Identity, Mask, Operator, measure


class DigitTask(NamedTuple):
    """One damage of 28 × 28 digits."""

    what: str
    operator: Callable[[np.random.Generator], object]
    sigma: float


SHAPE = (28, 28)
TASKS = {
    "hole": DigitTask("the centre 14 × 14 lost", lambda rng: Mask.block(SHAPE, 14), 0.0),
    "half": DigitTask("the lower half lost", lambda rng: Mask.half(SHAPE, "bottom"), 0.0),
    "missing75": DigitTask("75 % of the pixels lost", lambda rng: Mask.random(SHAPE, 0.25, rng), 0.0),
    "noise50": DigitTask("noise σ = 0.5", lambda rng: Identity(), 0.5),
}


def damage(x, task, seed=0):
    """Damage a batch of digits (N, 28, 28, 1): return ``(y, operators, sigma)``, with one operator for each digit.

    The same seed damages a digit at the same place of a batch in the same way.
    """
    x = validation.array(x, "x", ranks=(4,))
    if x.shape[1:] != (*SHAPE, 1):
        raise ValueError(f"x must have shape (N, 28, 28, 1), but its shape is {x.shape}")
    task = TASKS[validation.choice(task, "task", TASKS)]
    rng = np.random.default_rng(validation.seed(seed))
    operators = [task.operator(rng) for _ in x]
    y = np.stack([measure(one, operator, task.sigma, rng) for one, operator in zip(x, operators, strict=True)])
    return y, operators, task.sigma


def score(restore, x, labels, task, read, seed=0):
    """Damage digits, restore them, and return the mean PSNR in dB and the share that is still read right.

    Parameters
    ----------
    restore : function (y, operators, sigma) -> batch
    x, labels : the true digits (N, 28, 28, 1) and what they are (N,)
    task : a key of ``TASKS``
    read : function batch -> labels
        A classifier that took no part in the restoration.
    """
    x_hat = np.clip(restore(*damage(x, task, seed)), 0, 1)
    return {"psnr": float(np.mean([metrics.psnr(a, b) for a, b in zip(x, x_hat, strict=True)])),
            "readable": float(np.mean(read(x_hat) == labels))}


def one_by_one(method):
    """Turn a method for one picture, ``method(y, operator, sigma)``, into one for a batch of digits."""
    def restore(y, operators, sigma):
        pairs = zip(y[..., 0], operators, strict=True)
        return np.stack([method(one, operator, sigma) for one, operator in pairs])[..., None]

    return restore


class Masks(Operator):
    """A mask of its own for each picture of a batch, boolean (N, h, w).

    Only tensors of N pictures are masked. An array may be one picture, of which there is no telling whose mask it
    wears, and comes back whole.
    """

    name = "masks"

    def __init__(self, masks):
        self.known = np.asarray(masks, np.float32)[..., None]

    def _forward(self, x):
        return x.copy()

    def _forward_tensor(self, x, ops):
        return x * ops.cast(ops.convert_to_tensor(self.known), x.dtype)

    _adjoint, _adjoint_tensor = _forward, _forward_tensor


def answers(y, operators, sigma, n, seed=0, method="pgdm", **settings):
    """Draw ``n`` answers to each of several damaged digits with the diffusion model, all of them at once.

    Parameters
    ----------
    y : array (N, 28, 28, 1)
    operators : list of N operators: all alike, or masks
    sigma : float
    n, seed : int
    method, **settings
        As :func:`helpers.posterior.samplers.sample` takes them. "repaint" takes digits that have one mask.

    Returns
    -------
    array
        float32 in [0, 1], shape (N, n, 28, 28, 1).
    """
    from helpers import pretrained
    from helpers.posterior.samplers import sample

    n = validation.integer(n, "n", low=1)
    model, operator = pretrained.shared("diffusion-digits"), operators[0]
    if method != "repaint" and isinstance(operator, Mask):
        operator = Masks(np.repeat([one.mask for one in operators], n, axis=0))
    drawn = sample(np.repeat(y, n, axis=0), operator, sigma, model, n * len(y), seed, method, **settings)
    return np.clip(drawn, 0, 1).reshape(len(y), n, *model.shape)


class SampleQuality(NamedTuple):
    """How near samples are to real digits, over the features of a classifier."""

    frechet: float  # Fréchet distance from the samples to the 500 held-out digits
    floor: float  # the same distance from the 4,500 real training digits: what real digits reach
    coverage: np.ndarray  # (10,): the share of each class, as the classifier reads the samples

    @property
    def multiple(self):
        """The distance as a multiple of the floor."""
        return self.frechet / self.floor


def sample_quality(x, judge):
    """Return the :class:`SampleQuality` of generated digits (N, 28, 28, 1).

    ``judge`` has ``features(x)`` and ``coverage(x)``. Both distances are measured to the same 500 held-out digits, so
    both carry the same bias of a small set. Among the real digits all classes are equally frequent. Let them be so in
    x, or else chance differences of their shares count as faults of the generator.
    """
    x_train, _, x_test, _ = digits()
    held_out = judge.features(x_test)
    return SampleQuality(metrics.frechet_distance(judge.features(x), held_out),
                         metrics.frechet_distance(judge.features(x_train), held_out), judge.coverage(x))


def multiple_interval(x, judge, level=0.95, resamples=300, seed=0):
    """Return the multiple of :func:`sample_quality` with an interval: what might 500 other held-out digits have said?

    A bootstrap (Efron 1979) over the held-out digits of each class. A resample holds some digits twice and others not
    at all, and is therefore farther from everything than the held-out digits are. So the resampled distances tell how
    much each distance scatters around their mean, and not where it lies.
    """
    level = validation.number(level, "level", low=0, high=1)
    resamples = validation.integer(resamples, "resamples", low=2)
    rng = np.random.default_rng(validation.seed(seed))
    x_train, _, x_test, y_test = digits()
    held_out = judge.features(x_test)
    from_samples, from_real = (metrics.frechet_from(judge.features(known)) for known in (x, x_train))
    classes = [np.flatnonzero(y_test == digit) for digit in np.unique(y_test)]
    found = []
    for _ in range(resamples):
        again = held_out[np.concatenate([rng.choice(members, len(members)) for members in classes])]
        found.append([from_samples(again), from_real(again)])
    said = np.array([from_samples(held_out), from_real(held_out)])
    distance, floor = (np.array(found) - np.mean(found, axis=0) + said).T
    multiples = np.divide(distance, floor, out=np.full_like(floor, np.inf), where=floor > 0)
    low, high = np.quantile(multiples, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")  # inf stays inf
    return metrics.Interval(float(said[0] / said[1]), float(low), float(high))
