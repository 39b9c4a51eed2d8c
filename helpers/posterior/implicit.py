"""Posterior sampling for photographs: the prior is the one that is implicit in a denoiser.

Whoever takes noise away knows what pictures look like: by Tweedie's formula the residual D(x, t) - x of a perfect
denoiser is t² times the slope of the logarithm of the density of noisy pictures. Kadkhodaie and Simoncelli 2021
(arXiv:2007.13640) climb this slope while they add a little noise again, and hold the measured part of the picture at
its measurement. Nothing is trained for it.

:func:`sample` is their algorithm 2, with three differences. (1) Their denoiser is blind, and they read the noise level
off its residual; here it is told the level, which falls at each step by the factor 1 - β h, as theirs should. (2) Their
step h grows from 0.01 to 1. Where pictures differ widely, a step of size h leaves 1 - h/2 of the variance, half of it
at the end: here h stays small. (3) What is measured may be noisy: the measured part of a guess is a compromise between
y and the denoiser. Without noise it is y, as in the paper.
"""

import itertools

import numpy as np

from helpers import validation
from helpers.operators import Downsample, Identity, Mask, Operator
from helpers.restoration.common import ROUNDING
from helpers.restoration.pnp import checked_denoiser, data_step

HIGHEST, LOWEST = 1.0, 0.01  # the noise levels between which a picture arises, those of the paper
STEP = 0.2  # h: the part of the way to the guess that each step goes


def sample(y, operator, sigma, denoiser, n, seed, steps=200, highest=HIGHEST, step=STEP):
    """Draw ``n`` pictures that could have left the measurement y, under the prior implicit in a denoiser.

    From noise of level t each step goes a part h of the way to the guess x̂, and adds new noise up to the next level t':

        x̂  <- argmin |A x - y|² / σ² + |x - D(x_t, t)|² / t²
        x' <- x̂ + (1 - h) (x_t - x̂) + √(t'² - (1 - h)² t²) ε

    The levels fall in even ratios, t' = (1 - β h) t. For Gaussian pictures and their perfect denoiser the draws become
    those of the posterior as h and β become small, that is with many steps: means and variances are off by parts of
    about β and h / 2. What a network believes that has seen no level above 55/255, and no hole, is another question.

    Parameters
    ----------
    y : array (h, w) or (h, w, C)
        The measurement. Each channel is drawn alone: the answers to a grey picture are grey, those to a lost patch of
        colour have colours that do not belong together.
    operator : Operator
        A. The guess is exact for masks, circular blurs and downsampling, and by conjugate gradients for others.
    sigma : float
        Noise of the measurement, at least 0. Where a blur leaves none, half a grey level takes its place.
    denoiser : function or name
        ``denoise(x, t) -> x_hat`` on one picture, such as ``pretrained.load("denoiser")``, or the name of a classical
        one, as in :func:`helpers.restoration.plug_and_play`.
    n : int
        Number of answers, at least 1. They are drawn one after another, so that memory does not grow with them.
    seed : int
    steps : int
        Noise levels, and the price: each answer costs so many runs of the denoiser. With fewer than about
        ln(highest / 0.01) / h no noise is new, and the start decides everything.
    highest : float
        The first noise level, above 0.01.
    step : float
        h, above 0 and at most 1.

    Returns
    -------
    array
        In the type of y, shape (n, H, W) or (n, H, W, C). Values may leave [0, 1] a little.

    Raises
    ------
    TypeError, ValueError
        If y does not fit the operator, if the denoiser is none, for n or steps below 1, σ below 0, or a level or step
        out of range.
    """
    if not isinstance(operator, Operator):
        raise TypeError(f"operator must be one of helpers.operators, but {validation.brief(operator)} came")
    y = validation.array(y, "y", ranks=(2, 3))
    shape = operator.adjoint(y).shape
    sigma, n, seed = validation.sigma(sigma), validation.integer(n, "n", low=1), validation.seed(seed)
    if sigma == 0 and not isinstance(operator, (Identity, Mask, Downsample)):
        sigma = ROUNDING
    highest = validation.number(highest, "highest", low=LOWEST, open_low=True)
    levels = np.geomspace(highest, LOWEST, validation.integer(steps, "steps", low=1)).tolist()
    step = validation.number(step, "step", low=0, high=1, open_low=True)
    denoise, obey = checked_denoiser(denoiser), data_step(y, operator, shape)

    def guess(x, t):
        return obey(denoise(x, t), (sigma / t) ** 2)

    def draw(rng):
        x = obey(np.full(shape, 0.5, y.dtype), (sigma / highest) ** 2)
        x = x + y.dtype.type(highest) * rng.standard_normal(shape, y.dtype)
        for t, after in itertools.pairwise(levels):
            clean, kept = guess(x, t), min(1 - step, after / t)
            new = max(after**2 - (kept * t) ** 2, 0) ** 0.5
            x = clean + kept * (x - clean) + new * rng.standard_normal(shape, y.dtype)
        return guess(x, levels[-1])

    return np.stack([draw(np.random.default_rng([seed, i])) for i in range(n)])
