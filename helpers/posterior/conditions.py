"""What does the picture show? Conditions of a diffusion model, drawn from their posterior by Gibbs sampling.

A model that listens to conditions c, such as the six attributes of a robot, can be asked for p(c | y) ∝ p(c) p(y | c).
What it has in mind when it hears c is a picture μ(c), of which it is off by some d in each number that is measured, and

    p(y | c) = N(y; A μ(c), d² + σ²)

Gibbs sampling (Geman and Geman 1984, doi:10.1109/TPAMI.1984.4767596) draws one condition after the other, given all
others: a table of a million captions is never needed, and each walk asks for a few hundred. Of each draw only those
numbers of y are looked at in which the candidates differ by more than 2 d. Smaller differences are mostly errors of μ,
and there are many of them. Checked against exact odds for masks and for noise of 0.05 and more; a wide blur makes true
differences small, and with little noise odds can then be wrong.

This is for models whose conditions say what is in the picture to a pixel. Where they leave much open, as the class of
a digit does, μ(c) is a mean that resembles nothing.
"""

import numpy as np
import tensorflow as tf

from helpers import validation

LOOKS = (10.0, 0.3)  # noise levels: at the first, seen from the middle of all pictures, D is the mean of those with c;
#                      at the second, without noise, a good part of what that is off goes
DOUBT = 0.05  # d; candidates differ where they do by more than twice as much. Chosen on robots that trained the model
SWEEPS = 5  # through all conditions


def draw(y, operator, sigma, model, n, rng, known, prior):
    """Draw ``n`` rows of conditions from p(c | y), one walk for each: int (n, k).

    Parameters
    ----------
    y, operator, sigma, model, n
        Checked, as :func:`helpers.posterior.samplers.sample` takes them.
    rng : numpy.random.Generator
    known, prior
        As :func:`check` returns them.
    """
    seen = {}  # A μ(c) of all c that were asked for

    def log_likelihood(asked):
        new = np.array(sorted(set(map(tuple, asked.tolist())) - set(seen)), np.int32).reshape(-1, asked.shape[1])
        all_told = (asked >= 0).all()
        if len(new):
            x = picture(model, new, LOOKS if all_told else LOOKS[:1])
            seen.update(zip(map(tuple, new.tolist()), operator.forward(tf.constant(x)).numpy(), strict=True))
        miss = (y - np.array([seen[tuple(one)] for one in asked.tolist()])).reshape(n, len(asked) // n, -1)
        if all_told:
            doubt, differ = DOUBT, np.ptp(miss, axis=1, keepdims=True) > 2 * DOUBT
        else:
            doubt, differ = model.spread, True  # what is not told yet may be anything
        return -0.5 * np.sum(differ * miss**2, axis=2, dtype=np.float64) / (doubt**2 + sigma**2)

    said = np.tile(known.astype(np.int32), (n, 1))
    for _ in range(SWEEPS):
        for place in np.flatnonzero(known < 0):
            candidates = np.arange(model.choices[place])
            asked = said.repeat(len(candidates), axis=0)
            asked[:, place] = np.tile(candidates, n)
            with np.errstate(divide="ignore"):
                logits = log_likelihood(asked) + np.log(_chance(prior, asked)).reshape(n, -1)
            said[:, place] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return said


def picture(model, said, looks=LOOKS):
    """Return what a model has in mind when it hears conditions (N, k): the pictures μ, float32 (N, \\*model.shape)."""
    x = np.full((len(said), *model.shape), model.centre, np.float32)
    for t in looks:
        x = model.denoise(x, t, label=said)
    return x


def check(model, label, prior):
    """Return what is known of the conditions of one picture, int (k,), -1 where nothing is, and the prior.

    Raises
    ------
    ValueError
        For a model without conditions, and if label or prior do not fit them.
    """
    choices = tuple(getattr(model, "choices", ()))
    if not choices:
        raise ValueError("method 'gibbs' draws conditions first: it needs a model that has some")
    known = np.full(len(choices), -1) if label is None else np.atleast_1d(label)
    fits = known.shape == (len(choices),) and known.dtype.kind in "iu"
    if not fits or (known < -1).any() or (known >= choices).any():
        raise ValueError("label must hold the conditions of one picture for method 'gibbs', whole numbers below "
                         f"{', '.join(map(str, choices))}, or -1 for what is open, but {validation.brief(label)} came")
    if prior is not None:
        prior = validation.array(prior, "prior", ranks=(len(choices),)).astype(np.float64)
        if prior.shape != choices or prior.min() < 0 or not _chance(prior, known[None])[0] > 0:
            raise ValueError(f"prior must hold numbers of at least 0 of shape {choices}, not all 0 where label leaves "
                             f"them open, but its shape is {prior.shape} and it spans [{prior.min():.3g}, "
                             f"{prior.max():.3g}]")
    return known, prior


def _chance(prior, said):
    """Return the prior of conditions (N, k), up to a factor; -1 stands for any, in the same places of all rows."""
    if prior is None:
        return np.ones(len(said))
    told = said[0] >= 0
    return np.broadcast_to(prior.sum(axis=tuple(np.flatnonzero(~told)))[tuple(said[:, told].T)], len(said))
