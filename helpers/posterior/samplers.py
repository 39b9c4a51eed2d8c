"""Posterior sampling: many answers to one damaged picture, drawn with a diffusion model as the prior.

A diffusion model walks from noise to a picture: at each noise level t it guesses the clean picture, x̂ = D(x, t), goes a
part of the way, and adds a little noise again. Here it is told, at each step, about the measurement y = A(x) + σ n.
The methods differ in *how* it is told, and in whether somebody keeps the accounts:

- ``"dps"``: a step down the slope of |y - A x̂| (Chung et al. 2023, arXiv:2209.14687),
- ``"pgdm"``: the slope of log p(y | x), where x̂ is taken to be off by a Gaussian of a known spread (Song et al. 2023,
  "Pseudoinverse-guided diffusion models for inverse problems"),
- ``"ddnm"``: the same belief about x̂, and its mean once y is known, x̂ + r² Aᵀ (r² A Aᵀ + σ²)⁻¹ (y - A x̂). The network
  is asked and not differentiated. Without noise this is the x̂ + A⁺ (y - A x̂) of Wang et al. (2023, arXiv:2212.00490),
  with noise a step like that of Zhu et al. (2023, arXiv:2305.08995), with another r²,
- ``"repaint"``: known pixels are put in place at each step, with the noise of that step; each step is taken back and
  repeated, so that the rest can adapt (Lugmayr et al. 2022, arXiv:2201.09865). For masks alone,
- ``"twisted"``: many particles take the steps of ``"pgdm"``, each keeps a weight for what was wrong with them, and the
  heavy ones are copied (the twisted diffusion sampler, Wu et al. 2023, arXiv:2306.17775). As particles grow in number,
  its draws are exactly those of the model's posterior; those above remain approximations,
- ``"direct"``: for noise alone, A(x) = x. There y is itself a picture on the walk, at the level σ, and the model goes
  on from it as it always does. Nothing is approximated but the steps: what is wrong with the draws is wrong with the
  network at the levels up to σ. (Split Gibbs sampling makes of any measurement many such denoising problems: Wu et al.
  2024, arXiv:2405.18782.)
- ``"gibbs"``: for models that can be told all that a picture shows. What that is, is drawn first
  (:mod:`helpers.posterior.conditions`); then the picture, by the steps of ``"pgdm"``, with a model that is told.
"""

import itertools

import numpy as np
import tensorflow as tf

from helpers import validation
from helpers.operators import Identity, Mask, Operator
from helpers.posterior import conditions

METHODS = ("pgdm", "dps", "ddnm", "repaint", "twisted", "direct", "gibbs")
STEPS = {"pgdm": 40, "dps": 100, "ddnm": 40, "repaint": 20, "twisted": 40, "direct": 40, "gibbs": 40}
PARTICLES = 64  # of the twisted sampler, or four for each answer if that is more
STRENGTH = 1.0  # of the step of "dps"
JUMPS = 10  # times that "repaint" takes each step: the paper's r, whose jumps span 10 of 250 levels, and here one of 20
ROUNDS = 30  # of conjugate gradients, at most
ENOUGH = 1e-3  # relative residual at which they end
MIDWAY = 1.0  # the noise level at which "gibbs" enters the walk, with a picture of what it drew
RESAMPLE_BELOW = 0.5  # part of the particles: fewer effective ones are resampled


def sample(y, operator, sigma, model, n, seed, method="pgdm", steps=None, label=None, guidance=1.0, particles=None,
           strength=STRENGTH, jumps=JUMPS, prior=None):
    """Draw ``n`` pictures that could have left the measurement y, under the prior of a diffusion model.

    Parameters
    ----------
    y : array (h, w, C) or (n, h, w, C)
        The measurement of one picture; or of n pictures, each of which gets one answer.
    operator : Operator
        A, for pictures of ``model.shape``; it has to work inside the graph, as those of the course do.
    sigma : float
        The noise of the measurement, at least 0, in image units.
    model : Diffusion
        A ready model, such as ``pretrained.load("diffusion-digits")``, or any other that keeps the contract of
        :mod:`helpers.posterior`.
    n : int
        Number of answers, at least 1.
    seed : int
    method : str
        One of ``METHODS``: see this module's documentation.
    steps : int, optional
        Noise levels; by default ``STEPS[method]``. The cost grows linearly with steps and answers. ``"direct"`` passes
        those below σ, and ``"gibbs"`` those below 1.
    label, guidance : optional
        Conditions of the model, and their strength, as its ``sample`` takes them. ``"gibbs"`` takes those of one
        picture, draws the others without guidance, and paints with it.
    particles : int, optional
        Of ``"twisted"``: at least n.
    strength : float, or sequence of n
        Of ``"dps"``: ζ, how far the guess is moved; one for all answers or one for each. It is no number of the paper:
        see ``_by_the_distance``.
    jumps : int
        Of ``"repaint"``: how often each step is taken.
    prior : array, optional
        Of ``"gibbs"``: how probable the model's conditions are before anything is seen, up to a factor, with one axis
        for each. By default all are alike.

    Returns
    -------
    array
        float32, shape (n, \\*model.shape). Values may leave [0, 1] a little.

    Raises
    ------
    ValueError, TypeError
        If y does not fit operator and model; for an unknown method (with the near ones), n, steps or jumps below 1, σ
        or strength below 0, fewer particles than n; if ``"repaint"`` gets another operator than a mask, ``"direct"``
        another than the identity, ``"twisted"`` or ``"gibbs"`` more than one measurement, or ``"gibbs"`` a model
        without conditions, or a label or prior that does not fit them; for a prior that goes to another method; for a
        model that draws without noise levels, such as a GAN.
    """
    n, y, sigma, steps, particles = _check(y, operator, sigma, model, n, method, steps, particles)
    if prior is not None and method != "gibbs":
        raise ValueError(f"prior is for method 'gibbs': {method!r} has that of its model")
    strength, jumps = _strengths(strength, n), validation.integer(jumps, "jumps", low=1)
    rng = np.random.default_rng(validation.seed(seed))
    count = particles if method == "twisted" else n
    start, levels = model.centre, model.schedule(steps)
    if method == "gibbs":
        known, prior = conditions.check(model, label, prior)
        label = conditions.draw(y, operator, sigma, model, n, rng, known, prior)
        start, levels = conditions.picture(model, label), np.append(np.float32(MIDWAY), levels[levels < MIDWAY])
    denoise = model.denoiser(label, guidance, count)
    measured = tf.constant(np.broadcast_to(y, (count, *y.shape[-3:])))

    def noise():
        return tf.constant(rng.standard_normal((count, *model.shape)).astype(np.float32))

    if method == "repaint":
        x = start + levels[0] * noise()
        return _repaint(denoise, x, measured, operator.mask, sigma, levels, noise, jumps).numpy()
    if method == "direct":
        return _direct(denoise, measured, sigma, levels, noise).numpy()
    if method == "dps":
        guide = _by_the_distance(denoise, operator, sigma, strength)
    else:
        guide = (_by_agreement if method == "ddnm" else _by_the_likelihood)(denoise, operator, sigma, model.spread)
    guide = tf.function(guide, autograph=False)
    x = start + levels[0] * noise()
    told = guide(x, tf.constant(levels[0]), measured)
    log_weights = told[2].numpy().astype(np.float64)
    for t, t_next in itertools.pairwise(levels):
        clean, target, log_twist = told
        kept = (t_next / t) ** 2  # ancestral step: p(x' | x, x̂) is Gaussian with this mean and spread
        spread = np.sqrt(1 - kept) * t_next
        if t_next == 0:
            x = clean if method == "twisted" else target
            break
        x_next = target + kept * (x - target) + spread * noise()
        told_next = guide(x_next, tf.constant(t_next), measured)
        if method == "twisted":
            log_weights += (told_next[2] - log_twist).numpy()
            log_weights += _log_ratio(x_next, clean + kept * (x - clean), target + kept * (x - target), spread)
            order = _resample(log_weights, rng)
            if order is not None:
                x_next, told_next = tf.gather(x_next, order), [tf.gather(part, order) for part in told_next]
                log_weights[:] = 0
        x, told = x_next, told_next
    if method == "twisted":
        miss = measured - operator.forward(x)
        if sigma > 0:  # what the last step did not know: the likelihood itself
            log_weights += (-tf.reduce_sum(miss**2, [1, 2, 3]) / (2 * sigma**2) - told[2]).numpy()
        x = tf.gather(x, rng.permutation(_systematic(log_weights, n, rng)))
    return x.numpy()


# ------------------------------------------------------------------------------------------------ how y is told


def _by_the_likelihood(denoise, operator, sigma, spread):
    """Return the guide of ΠGDM: x̂ + t² ∇ log N(y; A x̂, r² A Aᵀ + σ²), with r² = t² s² / (t² + s²) and s = spread."""

    def guide(x, t, y):
        r2 = _doubt(t, spread)
        with tf.GradientTape() as tape:
            tape.watch(x)
            clean = denoise(x, t)
            seen = operator.forward(clean)
            miss = y - seen
            v = tf.stop_gradient(_solve(operator, miss, r2, sigma**2 + 1e-6 * r2))
            along = tf.reduce_sum(v * seen)
        slope = tape.gradient(along, x)
        return clean, clean + t**2 * slope, -0.5 * tf.reduce_sum(miss * v, [1, 2, 3])

    return guide


def _by_agreement(denoise, operator, sigma, spread):
    """Return the guide of DDNM: the mean of N(x̂, r²) once y is known. The network is not differentiated."""

    def guide(x, t, y):
        r2, clean = _doubt(t, spread), denoise(x, t)
        miss = y - operator.forward(clean)
        v = _solve(operator, miss, r2, sigma**2 + 1e-6 * r2)
        return clean, clean + r2 * operator.adjoint(v), -0.5 * tf.reduce_sum(miss * v, [1, 2, 3])

    return guide


def _doubt(t, spread):
    """Return r², how far x̂ is taken to be off at level t: for Gaussian pictures of spread s it is t² s² / (t² + s²)."""
    return t**2 * spread**2 / (t**2 + spread**2)


def _by_the_distance(denoise, operator, sigma, strength):
    """Return the guide of DPS: the guess is moved by ζ (1/4 + t²) along -∇|y - A x̂|.

    Each step of the walk goes the part 1 - (t'/t)² of the way to it. The paper's ζ is the length of the step itself,
    in a thousand steps: its numbers are not those of this one.
    """
    del sigma  # it knows of no noise

    def guide(x, t, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            clean = denoise(x, t)
            far = tf.sqrt(tf.reduce_sum((y - operator.forward(clean)) ** 2, [1, 2, 3]) + 1e-12)
        slope = tape.gradient(far, x)
        return clean, clean - strength * (0.25 + t**2) * slope, -far

    return guide


def _solve(operator, b, r2, noise):
    """Return (r² A Aᵀ + noise)⁻¹ b by conjugate gradients, for each picture of a batch."""

    def times(v):
        return r2 * operator.forward(operator.adjoint(v)) + noise * v

    def dot(a, c):
        return tf.reduce_sum(a * c, [1, 2, 3], keepdims=True)

    def step(k, v, left, direction, size):
        image = times(direction)
        a = size / tf.maximum(dot(direction, image), 1e-30)
        v, left = v + a * direction, left - a * image
        new = dot(left, left)
        return k + 1, v, left, left + new / tf.maximum(size, 1e-30) * direction, new

    size = dot(b, b)
    return tf.while_loop(lambda k, v, left, direction, now: (k < ROUNDS) & tf.reduce_any(now > ENOUGH**2 * size),
                         step, (0, tf.zeros_like(b), b, b, size))[1]


def _repaint(denoise, x, y, mask, sigma, levels, noise, jumps):
    """Return the pictures of RePaint: known pixels come from y at each level, the others from the model."""
    run = tf.function(denoise, autograph=False)
    known = tf.constant(mask[None, :, :, None].astype(np.float32))
    for t, t_next in itertools.pairwise(levels):
        for jump in range(jumps):
            clean = run(x, tf.constant(t))
            kept = (t_next / t) ** 2
            drawn = clean + kept * (x - clean) + np.sqrt(1 - kept) * t_next * noise()
            x_next = known * (y + np.sqrt(max(t_next**2 - sigma**2, 0)) * noise()) + (1 - known) * drawn
            if jump < jumps - 1 and t_next > 0:
                x = x_next + np.sqrt(t**2 - t_next**2) * noise()
            else:
                break
        x = x_next
    return x


def _direct(denoise, x, sigma, levels, noise):
    """Return the pictures behind x, which is in noise of level σ: ancestral steps from there on."""
    run = tf.function(denoise, autograph=False)
    for t, t_next in itertools.pairwise([sigma, *levels[levels < sigma]]):
        clean = run(x, tf.constant(t))
        kept = (t_next / t) ** 2
        x = clean + kept * (x - clean) + np.sqrt(1 - kept) * t_next * noise()
    return x


# ------------------------------------------------------------------------------------------------ particles


def _log_ratio(x, wanted, taken, spread):
    """Return log p / q of a step for each particle: Gaussians of the same spread around two means."""
    def squares(mean):
        return tf.reduce_sum((x - mean) ** 2, [1, 2, 3]).numpy().astype(np.float64)

    return (squares(taken) - squares(wanted)) / (2 * spread**2)


def _resample(log_weights, rng):
    """Return which particles go on, or None if their weights are still even enough."""
    odds = np.exp(log_weights - log_weights.max())
    odds /= odds.sum()
    if 1 / np.square(odds).sum() >= RESAMPLE_BELOW * len(odds):
        return None
    return _systematic(log_weights, len(odds), rng)


def _systematic(log_weights, n, rng):
    """Draw ``n`` particles by their weights with one random number: each occurs as often as it should, up to one."""
    odds = np.exp(log_weights - log_weights.max())
    steps = np.cumsum(odds) / odds.sum()
    return np.minimum(np.searchsorted(steps, (rng.random() + np.arange(n)) / n), len(odds) - 1)


# ------------------------------------------------------------------------------------------------ checks


def _strengths(strength, n):
    """Return the strength of each answer, or that of all, as an array (n or 1, 1, 1, 1)."""
    each = [validation.number(one, "strength", low=0) for one in np.ravel(strength)]
    if len(each) not in (1, n):
        raise ValueError(f"strength has {len(each)} numbers, expected one, or {n}: one for each answer")
    return np.array(each, np.float32).reshape(-1, 1, 1, 1)


def _check(y, operator, sigma, model, n, method, steps, particles):
    n = validation.integer(n, "n", low=1)
    validation.choice(method, "method", METHODS)
    if not isinstance(operator, Operator):
        raise TypeError(f"operator must be one of helpers.operators, but {type(operator).__name__} came")
    if method == "repaint" and not isinstance(operator, Mask):
        raise ValueError(f"method 'repaint' puts known pixels in place: it needs a Mask, not {operator.name}")
    if method == "direct" and not isinstance(operator, Identity):
        raise ValueError(f"method 'direct' knows noise alone: it needs the Identity, not {operator.name}")
    lacking = [name for name in ("shape", "centre", "spread", "schedule", "denoiser") if not hasattr(model, name)]
    if lacking:
        raise TypeError(f"model must be a diffusion model, but {type(model).__name__} came, which has no {lacking[0]}")
    y = validation.array(y, "y", ranks=(3,) if method in ("twisted", "gibbs") else (3, 4)).astype(np.float32)
    expected = operator.forward(np.zeros(model.shape, np.float32)).shape
    if y.ndim == 4 and len(y) != n:
        raise ValueError(f"y holds {len(y)} measurements, expected {n}: one for each answer")
    if y.shape[-3:] != expected:
        raise ValueError(f"y has shape {y.shape}, expected {expected}: what the operator ({operator.name}) leaves of a "
                         f"picture {model.shape}")
    sigma = np.float32(validation.number(sigma, "sigma", low=0))
    steps = STEPS[method] if steps is None else validation.integer(steps, "steps", low=1)
    particles = max(PARTICLES, 4 * n) if particles is None else validation.integer(particles, "particles", low=n)
    return n, y, sigma, steps, particles
