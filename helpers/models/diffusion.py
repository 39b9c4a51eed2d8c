"""Diffusion models: one network family, one loss, one sampler.

A diffusion model is a denoiser that is told the noise level. From a picture in noise, x = x₀ + σ ε, it guesses the
clean one, D(x, σ), and the best guess in mean square is the mean of all pictures that could be behind x. By Tweedie's
formula it gives away the slope of the density of noisy pictures, ∇ log p(x; σ) = (D(x, σ) - x) / σ². Along this slope
noise becomes a picture: that is all that sampling is.

Denoiser and loss follow Karras et al. 2022 (arXiv:2206.00364, "EDM"), with pictures in [0, 1] and σ in the same units;
papers have them in [-1, 1], where every σ is twice as large. The condition (which digit? which robot?) is left open at
random in training, so that one network knows both what it was told and what it was not: the difference is guidance (Ho
and Salimans 2022, arXiv:2207.12598).
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.models import worlds
from helpers.training import Player, split

HIGHEST, LOWEST = 40.0, 0.004  # the noise levels between which a picture arises
UNSAID = -1  # a condition that is left open
PIECE = 256  # pictures that go through the network at once

# --------------------------------------------------------------------------------------------- network


def build(shape, choices, widths, down, up, embedding=128):
    """Return the network F: a U-Net with residual blocks, which every block tells noise level and conditions.

    Parameters
    ----------
    shape : (height, width, channels) of a picture
    choices : tuple of int
        How many values each condition has; () for a model without conditions.
    widths : tuple of int
        Channels at a half, a quarter, … of the size.
    down, up : tuple of int
        Residual blocks at each size on the way down, and on the way up (one fewer: the coarsest has no way up).
    embedding : int
        Numbers in which noise level and conditions are told.
    """
    x, level = keras.Input(shape), keras.Input(())
    said = keras.Input((len(choices),), dtype="int32")
    waves = level[:, None] * np.geomspace(1, 50, 16).astype(np.float32)
    facts = [keras.ops.one_hot(said[:, k], count) for k, count in enumerate(choices)]  # zeros: not said
    told = layers.Concatenate()([keras.ops.sin(waves), keras.ops.cos(waves), *facts])
    for _ in range(2):
        told = layers.Dense(embedding, "silu")(told)

    h = layers.Conv2D(widths[0], 6, strides=2, padding="same", dtype="float32")(x)
    passed = []
    for i, width in enumerate(widths):
        if i:
            passed.append(h)
            h = layers.Conv2D(width, 2, strides=2)(h)
        for _ in range(down[i]):
            h = _residual(h, told)
    for i in reversed(range(len(widths) - 1)):
        h = passed.pop() + layers.Conv2DTranspose(widths[i], 2, strides=2)(h)
        for _ in range(up[i]):
            h = _residual(h, told)
    h = layers.Conv2DTranspose(shape[-1], 6, strides=2, padding="same", dtype="float32")(layers.Activation("silu")(h))
    return keras.Model([x, level, said], h, name="denoiser")


def _residual(h, told):
    """Add two convolutions to h; between them each channel is scaled and shifted by what the network was told."""
    width = h.shape[-1]
    r = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal")(layers.Activation("silu")(h))
    scale, shift = (layers.Reshape((1, 1, width))(layers.Dense(width)(told)) for _ in range(2))
    r = layers.Activation("silu")(r * (1 + scale) + shift)
    return h + layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")(r)


class Training:
    """Pictures of a world under noise of random levels; the loss is the squared error of the denoised picture."""

    def __init__(self, recipe, judge=None):
        self.ready = Diffusion.blank(recipe)
        self.networks = self.ready.networks
        self.world = worlds.WORLDS[recipe.options["world"]](judge)
        self.center, self.width = recipe.options["noise"]
        self.drop, self.deform = recipe.options["drop"], recipe.options.get("deform", 0.0)
        self.players = [Player("diffusion", ["denoiser"], self.loss)]

    def draw(self, seed, batch):
        """Return clean pictures, what is said of them (batch, k), noise levels (batch,), and noise.

        The share of conditions that are left open is itself drawn for each picture, with mean ``drop``: so all of them,
        some and none occur, whatever their number.
        """
        seeds = split(seed, 5)
        x, said = self.world.draw(seeds[0], batch, self.deform)
        if self.drop:
            share = tf.random.stateless_uniform([batch, 1], seeds[1]) ** (1 / self.drop - 1)
            dropped = tf.random.stateless_uniform(tf.shape(said), seeds[2]) < share
            said = tf.where(dropped & (tf.range(said.shape[1]) < len(self.ready.choices)), UNSAID, said)
        sigma = tf.exp(self.center + self.width * tf.random.stateless_normal([batch], seeds[3]))
        return x, said, sigma, tf.random.stateless_normal(tf.shape(x), seeds[4])

    def loss(self, batch):
        """Return the mean squared error, weighted so that every noise level starts with the same loss of about 1."""
        x, said, sigma, noise = batch
        sigma = sigma[:, None, None, None]
        error = self.ready.denoise_tensor(x + sigma * noise, sigma, said, training=True) - x
        spread = self.ready.spread
        return tf.reduce_mean((sigma**2 + spread**2) / (sigma * spread) ** 2 * error**2)

    def watch(self):
        """Return held-out metrics of the world, on few pictures."""
        return self.world.watch(self.ready)

    def evaluate(self):
        """Return the metrics of the model card."""
        return self.world.evaluate(self.ready)


# --------------------------------------------------------------------------------------------- sampler


class Sampler(NamedTuple):
    """A named way from noise to picture: which noise levels, how much new noise, how many looks a step."""

    what: str
    levels: Callable  # steps, highest -> steps + 1 falling noise levels, the last 0
    eta: float = 0.0
    order: int = 1


def _even_power(steps, highest):
    """Steps are even in σ^(1/7): short where the picture's details are decided (Karras et al. 2022, eq. 5)."""
    root = np.linspace(highest ** (1 / 7), min(LOWEST, highest) ** (1 / 7), steps)
    return np.append(root**7, 0)


def _even_diffusion(steps, highest):
    """Steps are even in the time of the process of DDPM, whose noise grows by β(t) = 0.1 + 19.9 t (Song et al. 2021,
    arXiv:2011.13456, appendix C; σ(t) as in Karras et al. 2022, table 1)."""
    gone = np.log1p((2 * highest) ** 2)  # 0.1 t + 19.9 t² / 2
    last = (np.sqrt(0.1**2 + 2 * 19.9 * gone) - 0.1) / 19.9
    t = np.linspace(last, 0, steps + 1)
    return np.sqrt(np.expm1(0.1 * t + 19.9 * t**2 / 2)) / 2


def _even_mixture(steps, highest):
    """Steps are even in the part t of noise in the mixture (1 - t) x₀ + t ε, whose noise level is t / (1 - t)."""
    t = np.linspace(2 * highest / (1 + 2 * highest), 0, steps + 1)
    return t / (1 - t) / 2


SAMPLERS = {
    "ddpm": Sampler("as much new noise as the forward process has (Ho et al. 2020, arXiv:2006.11239)",
                    _even_diffusion, eta=1.0),
    "ddim": Sampler("no new noise (Song et al. 2021, arXiv:2010.02502)", _even_diffusion),
    "heun": Sampler("no new noise, slopes of both ends averaged (Karras et al. 2022, arXiv:2206.00364)",
                    _even_power, order=2),
    "flow": Sampler("straight steps of flow matching (Lipman et al. 2023, arXiv:2210.02747)", _even_mixture),
}


def levels(sampler, steps, highest=HIGHEST):
    """Return the noise levels of a named sampler: ``steps`` + 1 falling numbers from ``highest`` to 0."""
    name = validation.choice(sampler, "sampler", SAMPLERS)
    steps = validation.integer(steps, "steps", low=1)
    return SAMPLERS[name].levels(steps, validation.number(highest, "highest", low=0, open_low=True))


def evaluations(sampler, steps, guidance=1.0):
    """Return how often sampling runs each picture through the network: the price that matters.

    >>> evaluations("ddim", 17), evaluations("heun", 9), evaluations("heun", 9, guidance=2)
    (17, 17, 34)
    """
    name = validation.choice(sampler, "sampler", SAMPLERS)
    steps = validation.integer(steps, "steps", low=1)
    looks = 2 * steps - 1 if SAMPLERS[name].order == 2 else steps
    return looks * (1 if _guidance(guidance) in (0, 1) else 2)


def walk(denoise, x, sigmas, eta=0.0, order=1, rng=None):
    """Walk from noise to pictures: yield x at each of the noise levels ``sigmas``.

    One step: look at the clean picture D that the noise seems to hide, go towards it until noise of level
    ``down`` ≤ ``after`` is left, and add new noise up to ``after``. DDIM, DDPM, Heun's method of EDM and flow matching
    with Euler's method are this loop, with other levels, ``eta`` and ``order``: see ``SAMPLERS``.

    Parameters
    ----------
    denoise : function (x, sigma) -> x_hat
        Any: a network, or the closed form of a density that is known.
    x : array (N, ...)
        Noise of level ``sigmas[0]`` around the middle of the pictures.
    sigmas : sequence of float
        Falling noise levels; the last may be 0.
    eta : float
        How much of the noise is new at each step, from 0 (none: the start decides everything) to 1 (as in DDPM).
    order : int
        2: look a second time, from the end of the step, and take the mean of both slopes (Heun's method).
    rng : numpy.random.Generator
        Needed if ``eta`` is above 0.
    """
    sigmas = validation.array(np.asarray(sigmas, np.float64), "sigmas", ranks=(1,)).tolist()
    if len(sigmas) < 2 or min(sigmas) < 0 or any(a <= b for a, b in itertools.pairwise(sigmas)):
        raise ValueError(f"sigmas must be at least two falling numbers, none below 0, but {validation.brief(sigmas)} "
                         "came")
    eta = validation.number(eta, "eta", low=0, high=1)
    order = validation.integer(order, "order", low=1, high=2)
    if eta > 0:
        validation.generator(rng)
    return _walk(denoise, x, sigmas, eta, order, rng)


def _walk(denoise, x, sigmas, eta, order, rng):
    yield x
    for now, after in itertools.pairwise(sigmas):
        new = eta * after * (1 - (after / now) ** 2) ** 0.5
        down = (after**2 - new**2) ** 0.5
        slope = (x - denoise(x, now)) / now  # dx/dσ
        there = x + (down - now) * slope
        if order == 2 and down > 0:
            slope = (slope + (there - denoise(there, down)) / down) / 2
            there = x + (down - now) * slope
        x = there
        if new > 0:
            x = x + new * rng.standard_normal(tuple(x.shape), dtype=np.float32)
        yield x


def sample_from(denoise, x, sigmas, eta=0.0, order=1, rng=None):
    """Return the pictures at the end of :func:`walk`."""
    *_, x = walk(denoise, x, sigmas, eta, order, rng)
    return x


# --------------------------------------------------------------------------------------------- the ready object


class Diffusion:
    """The network with NumPy in and out: ``denoise``, ``score``, ``sample``; and as tensors, for who needs gradients.

    Attributes
    ----------
    shape : tuple of int
        Height, width and channels of a picture.
    choices : tuple of int
        How many values each condition has.
    centre, spread : float
        Mean and standard deviation of the pixels of this world, in image units.
    """

    def __init__(self, network, choices, centre, spread):
        self.network, self.choices = network, tuple(choices)
        self.shape = tuple(network.output_shape[1:])
        self.centre, self.spread = centre, spread
        self._run = tf.function(self.denoise_tensor, autograph=False, input_signature=[
            tf.TensorSpec([None, *self.shape]), tf.TensorSpec([]), tf.TensorSpec(network.input_shape[2], tf.int32)])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        world = worlds.WORLDS[recipe.options["world"]]
        network = build(world.shape, world.choices + world.marks, **recipe.options["network"])
        return cls(network, world.choices, world.centre, world.spread)

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"denoiser": self.network}

    def denoise_tensor(self, x, sigma, said, training=False):
        """Return D(x; σ, said) as a tensor like x: the network inside EDM's preconditioning (table 1).

        What goes in has standard deviation 1, and so has what is asked of the network. Where σ is small the answer is x
        and a correction of size σ; where it is large, x counts for nothing. ``sigma`` is one number or broadcasts to
        (N, 1, 1, 1); ``said`` holds the conditions, int32 (N, k), -1 where one is left open.
        """
        sigma = tf.broadcast_to(tf.convert_to_tensor(sigma, tf.float32), [tf.shape(x)[0], 1, 1, 1])
        total = tf.sqrt(sigma**2 + self.spread**2)
        level = tf.math.log(tf.maximum(sigma[:, 0, 0, 0], 1e-4)) / 4
        inside = self.network([(x - self.centre) / total, level, said], training=training)
        return self.centre + (self.spread / total) ** 2 * (x - self.centre) + sigma * self.spread / total * inside

    def denoiser(self, label=None, guidance=1.0, n=1):
        """Return the function (x, sigma) -> x_hat of tensors (n, ...), for ``label`` with ``guidance``: for gradients,
        and for samplers of one's own."""
        said, guidance = self._said(label, validation.integer(n, "n", low=1)), _guidance(guidance)
        told, untold = tf.constant(said), tf.fill(said.shape, UNSAID)
        if guidance == 1 or (said == UNSAID).all():
            return lambda x, sigma: self.denoise_tensor(x, sigma, told)
        if guidance == 0:
            return lambda x, sigma: self.denoise_tensor(x, sigma, untold)

        def guided(x, sigma):
            without = self.denoise_tensor(x, sigma, untold)
            return without + guidance * (self.denoise_tensor(x, sigma, told) - without)

        return guided

    def denoise(self, x, sigma, label=None, guidance=1.0):
        """Return the best guess of the clean picture or pictures, float32, shaped like x.

        Parameters
        ----------
        x : array
            One picture or a batch (N, height, width, channels) in noise, around [0, 1]; of grey pictures the last axis
            may be missing.
        sigma : float
            The noise level in image units, at least 0. The network was trained for all that sampling passes.
        label : optional
            What the pictures show: for one condition a whole number or N of them, for k conditions k numbers or
            (N, k). -1, or None for all, leaves it open.
        guidance : float
            w in D₀ + w (D - D₀), where D knows the label and D₀ does not: 1 takes the label as it is, more exaggerates
            it, 0 forgets it.
        """
        batch = self._batch(x)
        sigma = validation.number(sigma, "sigma", low=0)
        return self._denoise(batch, sigma, self._said(label, len(batch)), _guidance(guidance)).reshape(np.shape(x))

    def score(self, x, sigma, label=None, guidance=1.0):
        """Return the slope ∇ log p(x; σ) of the density of noisy pictures, shaped like x: (D - x) / σ²; σ above 0."""
        sigma = validation.number(sigma, "sigma", low=0, open_low=True)
        return (self.denoise(x, sigma, label, guidance) - np.asarray(x, np.float32)) / np.float32(sigma**2)

    def sample(self, n, seed, label=None, steps=9, sampler="heun", guidance=1.0):
        """Return ``n`` new pictures, float32 (n, height, width, channels) in [0, 1].

        ``label`` is one for all or n of them, as in :meth:`denoise`; left open, the model chooses. ``steps`` is the
        number of noise levels that are passed, ``sampler`` a key of ``SAMPLERS``; :func:`evaluations` tells the price.
        """
        n = validation.integer(n, "n", low=1)
        rng = np.random.default_rng(validation.seed(seed))
        said, guidance, sigmas = self._said(label, n), _guidance(guidance), levels(sampler, steps)
        x = self.start(n, rng)
        x = sample_from(lambda x, sigma: self._denoise(x, sigma, said, guidance), x, sigmas, SAMPLERS[sampler].eta,
                        SAMPLERS[sampler].order, rng)
        return np.clip(x, 0, 1)

    def start(self, n, rng):
        """Return noise to begin with, (n, height, width, channels), at the level ``HIGHEST``."""
        noise = validation.generator(rng).standard_normal((n, *self.shape), dtype=np.float32)
        return np.float32(self.centre) + np.float32(HIGHEST) * noise

    evaluations = staticmethod(evaluations)

    def schedule(self, steps, sampler="heun"):
        """Return the noise levels of a sampler as float32, (steps + 1,): see :func:`levels`."""
        return levels(sampler, steps).astype(np.float32)

    def _denoise(self, x, sigma, said, guidance):
        """Run checked pictures through the network, piece by piece."""
        def run(said):
            pieces = [slice(i, i + PIECE) for i in range(0, len(x), PIECE)]
            return np.concatenate([self._run(x[p], np.float32(sigma), said[p]).numpy() for p in pieces])

        if guidance == 1 or (said == UNSAID).all():
            return run(said)
        without = run(np.full_like(said, UNSAID))
        return without if guidance == 0 else without + np.float32(guidance) * (run(said) - without)

    def _batch(self, x):
        """Return one picture or several as a batch (N, height, width, channels)."""
        x = validation.array(x, "x").astype(np.float32)
        for shape in (self.shape, self.shape[:2] if self.shape[2] == 1 else self.shape):
            if x.shape[-len(shape):] == shape and x.ndim <= len(shape) + 1:
                return x.reshape(-1, *self.shape)
        expected = ", ".join(map(str, self.shape))
        raise ValueError(f"x must have shape ({expected}) or (N, {expected}), but its shape is {x.shape}")

    def _said(self, label, n):
        """Return the conditions of n pictures, int32 (n, k)."""
        said = np.full((n, self.network.input_shape[2][1]), UNSAID, np.int32)
        if label is None:
            return said
        if not self.choices:
            raise ValueError(f"label must be None: this model knows no conditions, but {validation.brief(label)} came")
        wanted = "a whole number" if len(self.choices) == 1 else f"{len(self.choices)} whole numbers"
        try:
            labels = np.asarray(label)
        except ValueError as error:  # ragged lists
            raise TypeError(f"label cannot be read as an array: {error}") from None
        if labels.dtype.kind not in "iu":
            raise TypeError(f"label must be {wanted}, or so for each picture, but {validation.brief(label)} came")
        if labels.ndim == 0 or (len(self.choices) == 1 and labels.shape[-1] != 1):
            labels = labels[..., None]
        if labels.shape not in ((len(self.choices),), (n, len(self.choices))):
            raise ValueError(f"label has shape {np.shape(label)}, expected {wanted}, or so for each of {n} pictures")
        if labels.min() < UNSAID or (labels >= np.array(self.choices)).any():
            raise ValueError(f"label must lie in 0 … {max(self.choices) - 1}, or be -1 for what is left open, but "
                             f"{labels.min() if labels.min() < UNSAID else labels.max()} came")
        said[:, : len(self.choices)] = labels
        return said


def _guidance(value):
    return validation.number(value, "guidance", low=0)
