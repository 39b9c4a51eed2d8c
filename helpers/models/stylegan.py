"""A generator of robots that is ruled by styles: StyleGAN2 (Karras et al. 2020, arXiv:1912.04958), made small.

A mapping network turns noise z into a style w. A synthesis network begins with the same learnt 4 × 4 features for every
picture; what differs from picture to picture enters in two ways only. In each layer the style says how strongly every
channel is heard (a modulated convolution), and one random number is added at each place (noise). Nobody says what a
layer is to decide. Afterwards it can be asked, by giving its layers the styles of two different robots.

Smaller than in the paper: six layers, of which the last three work on 16 × 16 places and draw 2 × 2 pixels at each;
features grow by repeating them; no penalty on the length of paths. Noise begins with strengths of 0.5, in the paper
with nought. And the loss is a later one. Each generated picture is compared with a real one, and the slope of the
discriminator is penalised at both (Huang et al. 2024, arXiv:2501.05441). The penalties are taken of an eighth of the
pictures in every step, which makes all steps alike; the minibatch standard deviation then compares those alone.
"""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from helpers import validation
from helpers.models import worlds
from helpers.training import Player, split

LAYER_SIZES = (4, 8, 8, 16, 16, 16)  # places along a side of what each layer of the synthesis network puts out
LAYERS = len(LAYER_SIZES)
PLACES = tuple(size**2 for size in LAYER_SIZES)  # numbers of noise that each layer takes
PART = 8  # the penalties are taken of one picture in so many
GROUP = 8  # pictures that the minibatch standard deviation compares
ROOT = 2**0.5  # what a leaky ReLU takes from the size of features, a convolution gives back
PIECE = 250  # pictures that go through the network at once

# --------------------------------------------------------------------------------------------- layers


class Equal(layers.Layer):
    """A dense layer or a convolution whose stored weights all begin as standard normal numbers.

    They are scaled where they are used, by 1 / √(numbers that enter) as He's initialisation would. Adam, whose steps
    have one size for all, then changes every layer at an equal pace ("equalised learning rate", arXiv:1710.10196).
    ``slow`` makes a layer learn so many times more slowly.
    """

    def __init__(self, width, kernel=None, stride=1, bias=0.0, gain=2**0.5, slow=1.0, **options):
        super().__init__(**options)
        self.width, self.side, self.stride, self.start, self.gain, self.slow = width, kernel, stride, bias, gain, slow

    def build(self, shape):
        """Make the weights for what comes in."""
        sides = () if self.side is None else (self.side, self.side)
        entering = shape[-1] * (self.side or 1) ** 2
        self.kernel = self.add_weight(shape=(*sides, shape[-1], self.width), name="kernel",
                                      initializer=keras.initializers.RandomNormal(stddev=1 / self.slow))
        self.bias = self.add_weight(shape=(self.width,), name="bias", initializer=keras.initializers.Constant(
            self.start / self.slow))
        self.scale = self.gain * self.slow / entering**0.5

    def call(self, x):
        """Return ``x`` times the weights, plus the bias."""
        kernel, bias = self.kernel * self.scale, self.bias * self.slow
        if self.side is None:
            return ops.matmul(x, kernel) + bias
        return ops.conv(x, kernel, strides=self.stride, padding="same") + bias


class Modulated(layers.Layer):
    """A convolution whose weights are made anew for every picture: kernel[:, :, i, o] · style[i], then each output
    channel o divided by the length of all its weights (demodulation).

    To compute it so would take a kernel for every picture of the batch. A convolution is linear in its input channels
    and in its output channels, hence the same comes out, much faster, if one kernel is shared and the picture's
    channels are scaled by the style before it, and by 1 / length behind it.
    """

    def __init__(self, width, kernel=3, demodulate=True, **options):
        super().__init__(**options)
        self.width, self.side, self.demodulate = width, kernel, demodulate

    def build(self, shapes):
        """Make the weights for what comes in."""
        entering = shapes[0][-1]
        self.kernel = self.add_weight(shape=(self.side, self.side, entering, self.width), name="kernel",
                                      initializer=keras.initializers.RandomNormal(stddev=1.0))
        self.scale = 1 / (entering**0.5 * self.side)

    def call(self, both):
        """Return the convolution of the first, modulated by the second (N, channels of the first)."""
        x, style = both
        y = ops.conv(x * style[:, None, None, :], self.kernel, padding="same")
        if not self.demodulate:
            return y * self.scale
        squares = ops.matmul(ops.square(style), ops.sum(ops.square(self.kernel), axis=(0, 1)))
        return y * (ROOT * ops.rsqrt(squares + 1e-8))[:, None, None, :]


class Start(layers.Layer):
    """The learnt features (4, 4, width) with which every picture begins."""

    def __init__(self, width, **options):
        super().__init__(**options)
        self.width = width

    def build(self, shape):
        """Make the features."""
        self.features = self.add_weight(shape=(LAYER_SIZES[0], LAYER_SIZES[0], self.width), name="features",
                                        initializer=keras.initializers.RandomNormal(stddev=1.0))

    def call(self, w):
        """Return them once for each of the styles (N, …)."""
        return ops.broadcast_to(self.features, (ops.shape(w)[0], LAYER_SIZES[0], LAYER_SIZES[0], self.width))


class Noise(layers.Layer):
    """Add one random number to each place, more strongly in some channels than in others, and a bias; then bend."""

    def __init__(self, start=0.0, **options):
        super().__init__(**options)
        self.start = start

    def build(self, shapes):
        """Make the strengths, of which ``start`` is the first standard deviation, and the bias."""
        self.strength = self.add_weight(shape=(shapes[0][-1],), name="strength",
                                        initializer=keras.initializers.RandomNormal(stddev=self.start))
        self.bias = self.add_weight(shape=(shapes[0][-1],), name="bias", initializer="zeros")

    def call(self, both):
        """Return leaky ReLU of features (N, h, w, C) plus noise (N, h · w)."""
        x, noise = both
        noise = ops.reshape(noise, (-1, *x.shape[1:3], 1))
        return ops.leaky_relu(x + ops.matmul(noise, self.strength[None]) + self.bias, 0.2)


class Spread(layers.Layer):
    """Add a channel that tells how much the pictures of a group differ: the minibatch standard deviation.

    A discriminator that sees it notices when a generator always draws the same.
    """

    def call(self, x):
        """Return features (N, h, w, C) with one channel more; groups are of eight pictures, or of all."""
        n = ops.shape(x)[0]
        group = ops.where(n % GROUP == 0, GROUP, n)
        y = ops.reshape(ops.cast(x, "float32"), (group, -1, *x.shape[1:]))
        spread = ops.mean(ops.sqrt(ops.var(y, axis=0) + 1e-8), axis=(1, 2, 3))  # (N / group,)
        spread = ops.tile(spread, (group,))
        spread = ops.broadcast_to(ops.cast(spread, x.dtype)[:, None, None, None], (n, *x.shape[1:3], 1))
        return ops.concatenate([x, spread], axis=-1)


class Double(layers.Layer):
    """Make pictures twice as wide and high by repeating every pixel."""

    def call(self, x):
        """Return (N, 2 h, 2 w, C) of (N, h, w, C)."""
        n, (h, w, channels) = ops.shape(x)[0], x.shape[1:]
        x = ops.broadcast_to(x[:, :, None, :, None], (n, h, 2, w, 2, channels))
        return ops.reshape(x, (n, 2 * h, 2 * w, channels))


class Unfold(layers.Layer):
    """Turn the twelve numbers of each place into 2 × 2 pixels of three colours."""

    def call(self, h):
        """Return pictures (N, 2 h, 2 w, 3) of (N, h, w, 12)."""
        n, (height, width, _) = ops.shape(h)[0], h.shape[1:]
        h = ops.transpose(ops.reshape(h, (n, height, width, 2, 2, 3)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(h, (n, 2 * height, 2 * width, 3))


class Fold(layers.Layer):
    """The inverse of ``Unfold``."""

    def call(self, x):
        """Return (N, h / 2, w / 2, 12) of pictures (N, h, w, 3)."""
        n, (height, width, _) = ops.shape(x)[0], x.shape[1:]
        x = ops.transpose(ops.reshape(x, (n, height // 2, 2, width // 2, 2, 3)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (n, height // 2, width // 2, 12))


# --------------------------------------------------------------------------------------------- networks


def build_mapping(latent=64, style=128, depth=4):
    """Return the network z (N, latent) → w (N, style)."""
    z = keras.Input((latent,))
    h = layers.UnitNormalization()(z) * latent**0.5
    for _ in range(depth):
        h = layers.LeakyReLU(0.2)(Equal(style, slow=0.1)(h))
    w = layers.Activation("linear", dtype="float32")(h)  # whatever the precision of the training
    return keras.Model(z, w, name="mapping")


def build_synthesis(style=128, widths=(96, 112, 64)):
    """Return the network (styles (N, 6, style), noise (N, 912)) → picture (N, 32, 32, 3): a style for each layer.

    ``widths`` are the channels at 4 × 4, 8 × 8 and 16 × 16 places. Each size adds its share to the picture. At last
    each place draws 2 × 2 pixels.
    """
    styles, noise = keras.Input((LAYERS, style)), keras.Input((sum(PLACES),))
    width_at = dict(zip(sorted(set(LAYER_SIZES)), widths, strict=True))
    h, first, picture = Start(widths[0])(styles), 0, None
    for layer, size in enumerate(LAYER_SIZES):
        h = Modulated(width_at[size])([h, Equal(h.shape[-1], bias=1.0, gain=1.0)(styles[:, layer])])
        h = Double()(h) if h.shape[1] < size else h
        h = Noise(0.5 if size > LAYER_SIZES[0] else 0.0)([h, noise[:, first : first + size**2]])
        first += size**2
        if LAYER_SIZES[layer + 1 : layer + 2] != (size,):  # the last layer of this size
            scales = Equal(h.shape[-1], bias=1.0, gain=1.0)(styles[:, layer])
            share = Modulated(3, 1, demodulate=False, dtype="float32")([h, scales])
            picture = share if picture is None else _onto(picture, share)
    fine = Unfold(dtype="float32")(Modulated(12, 1, demodulate=False, dtype="float32")([h, scales]))
    x = layers.Rescaling(0.25, 0.5, dtype="float32")(_onto(picture, fine))
    return keras.Model([styles, noise], x, name="synthesis")


def _onto(picture, share):
    return layers.Add(dtype="float32")([Double(dtype="float32")(picture), share])


def build_discriminator(widths=(64, 96, 128)):
    """Return the network picture (N, 32, 32, 3) → logit (N, 1): positive for real."""
    x = keras.Input((32, 32, 3))
    h = layers.Rescaling(2.0, -1.0)(Fold()(x))
    h = layers.LeakyReLU(0.2)(Equal(widths[0], 3)(h))
    for width in widths[1:]:
        h = layers.LeakyReLU(0.2)(Equal(width, 4, stride=2)(h))
    h = layers.LeakyReLU(0.2)(Equal(widths[-1], 3)(Spread()(h)))
    h = layers.LeakyReLU(0.2)(Equal(widths[-1])(layers.Flatten()(h)))
    return keras.Model(x, Equal(1, gain=1.0, dtype="float32")(h), name="discriminator")


# --------------------------------------------------------------------------------------------- training


class Training:
    """The discriminator tells robots on speckled ground from generated pictures; the generator tries to be taken for
    real."""

    def __init__(self, recipe):
        options = recipe.options
        self.ready = StyleGan.blank(recipe)
        self.networks = self.ready.networks | {"discriminator": build_discriminator(**options.get("discriminator", {}))}
        self.latent, self.penalty, self.mixed = self.ready.latent, options["r1"], options["mixed"]
        self.world = worlds.SpeckledRobots()
        self.players = [Player("discriminator", ["discriminator"], self.discriminator_loss),
                        Player("generator", ["mapping", "synthesis"], self.generator_loss)]

    def draw(self, seed, batch):
        """Return robots (batch, 32, 32, 3) and, for each of the two players, two draws of z, the layer from which on
        the second of them rules, and noise."""
        seeds = split(seed, 5)
        z = tf.random.stateless_normal([batch, 2, 2, self.latent], seeds[1])
        noise = tf.random.stateless_normal([batch, 2, sum(PLACES)], seeds[2])
        mixed = tf.random.stateless_uniform([batch, 2], seeds[3]) < self.mixed
        first = tf.random.stateless_uniform([batch, 2], seeds[4], 1, LAYERS, tf.int32)
        return self.world.draw(seeds[0], batch), z, tf.where(mixed, first, LAYERS), noise

    def generate(self, batch, player):
        """Return the pictures that one of the players (0 or 1) is shown."""
        _, z, first, noise = batch
        w = self.networks["mapping"](tf.reshape(z[:, player], [-1, self.latent]), training=True)
        w = tf.reshape(w, [-1, 2, 1, w.shape[-1]])
        later = tf.range(LAYERS)[None, :, None] >= first[:, player, None, None]
        styles = tf.where(later, w[:, 1], w[:, 0])
        return self.networks["synthesis"]([styles, noise[:, player]], training=True)

    def discriminator_loss(self, batch):
        """Return -log σ(D(x) - D(G(z))), pair by pair, and the penalties on the slope of D at real and at generated
        pictures."""
        real, made, discriminator = batch[0], self.generate(batch, 0), self.networks["discriminator"]
        ahead = discriminator(real, training=True) - discriminator(made, training=True)
        return tf.reduce_mean(tf.nn.softplus(-ahead)) + 0.5 * self.penalty * (self.slope(real) + self.slope(made))

    def slope(self, pictures):
        """Return the squared slope of D, the mean over an eighth of the pictures."""
        some = pictures[: tf.maximum(tf.shape(pictures)[0] // PART, 1)]
        with tf.GradientTape() as tape:
            tape.watch(some)
            total = tf.reduce_sum(self.networks["discriminator"](some, training=True))
        return tf.reduce_mean(tf.reduce_sum(tf.square(tape.gradient(total, some)), [1, 2, 3]))

    def generator_loss(self, batch):
        """Return -log σ(D(G(z)) - D(x)), pair by pair."""
        discriminator = self.networks["discriminator"]
        ahead = discriminator(self.generate(batch, 1), training=True) - discriminator(batch[0], training=True)
        return tf.reduce_mean(tf.nn.softplus(-ahead))

    def watch(self):
        """Return what 500 samples are worth."""
        return self.world.watch(self.ready)

    def evaluate(self):
        """Return what 5,000 samples are worth, what truncation changes, which layers carry which attributes, what
        noise changes, and what lies between two robots."""
        return self.world.evaluate(self.ready)


# --------------------------------------------------------------------------------------------- ready


class StyleGan:
    """The networks with NumPy in and out: ``sample``, and its parts ``styles``, ``truncate``, ``mix`` and ``draw``."""

    def __init__(self, networks):
        self.networks, self.layers = networks, LAYERS  # the discriminator served the training alone
        self.latent, self.style = networks["mapping"].input_shape[1], networks["mapping"].output_shape[1]
        self._map = tf.function(lambda z: networks["mapping"](z, training=False), autograph=False,
                                input_signature=[tf.TensorSpec([None, self.latent])])
        self._draw = tf.function(
            lambda w, noise: networks["synthesis"]([w, noise], training=False), autograph=False,
            input_signature=[tf.TensorSpec([None, LAYERS, self.style]), tf.TensorSpec([None, sum(PLACES)])])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"mapping": build_mapping(**recipe.options.get("mapping", {})),
                    "synthesis": build_synthesis(**recipe.options.get("synthesis", {}))})

    def sample(self, n, seed, truncation=1.0):
        """Return ``n`` new robots on speckled ground (n, 32, 32, 3), float32 in [0, 1].

        ``truncation`` below 1 draws the styles towards their mean: see :meth:`truncate`.
        """
        n = validation.integer(n, "n", low=1)
        z = np.random.default_rng(validation.seed(seed)).standard_normal((n, self.latent))
        return self.draw(self.truncate(self.styles(z), truncation), seed)

    def styles(self, z):
        """Return the styles w (N, style) of latent codes z (N, latent)."""
        z = validation.array(z, "z", ranks=(2,))
        if z.shape[1] != self.latent:
            raise ValueError(f"z has {z.shape[1]} numbers a picture, expected {self.latent}")
        return self._map(z.astype(np.float32)).numpy()

    @functools.cached_property
    def centre(self):
        """The mean style (style,) of 10,000 latent codes."""
        return self.styles(np.random.default_rng(0).standard_normal((10000, self.latent))).mean(axis=0)

    def truncate(self, w, truncation):
        """Return styles (…, style) drawn towards their mean: centre + truncation · (w - centre).

        At 1 they stay as they are, at 0 all are the mean, above 1 they are driven apart.
        """
        truncation = validation.number(truncation, "truncation", low=0)
        if truncation == 1:
            return self._styled(w)
        return (self.centre + np.float32(truncation) * (self._styled(w) - self.centre)).astype(np.float32)

    def mix(self, w, other, layers):
        """Return styles for each layer (N, 6, style): those of ``layers``, numbers 0 … 5, from ``other``, the rest from
        ``w``."""
        w, other = self.each(w), self.each(other)
        validation.same_shape(other, "other", w, "w")
        for layer in layers:
            validation.integer(layer, "layers", low=0, high=LAYERS - 1)
        w[:, list(layers)] = other[:, list(layers)]
        return w

    def each(self, w):
        """Return styles for each layer (N, 6, style), a new array, of one style for all (N, style), or of such."""
        w = self._styled(w)
        return np.repeat(w[:, None], LAYERS, axis=1) if w.ndim == 2 else w.copy()

    def draw(self, w, seed=0, noise=None):
        """Return the pictures (N, 32, 32, 3), float32 in [0, 1], of styles (N, style) or (N, 6, style).

        ``noise`` (N, 912) is what the layers add, one after the other, each row by row; by default it is drawn.
        """
        w = self.each(w)
        if noise is None:
            noise = self.noise(len(w), seed)
        noise = validation.array(noise, "noise", ranks=(2,)).astype(np.float32)
        if noise.shape != (len(w), sum(PLACES)):
            raise ValueError(f"noise has shape {noise.shape}, expected {(len(w), sum(PLACES))}")
        x = [self._draw(w[i : i + PIECE], noise[i : i + PIECE]).numpy() for i in range(0, len(w), PIECE)]
        return np.clip(np.concatenate(x), 0, 1)

    def noise(self, n, seed):
        """Return noise for ``n`` pictures (n, 912)."""
        rng = np.random.default_rng([validation.seed(seed), 1])
        return rng.standard_normal((n, sum(PLACES)), dtype=np.float32)

    def _styled(self, w):
        w = validation.array(w, "w", ranks=(2, 3)).astype(np.float32)
        if w.shape[1:] not in ((self.style,), (LAYERS, self.style)):
            raise ValueError(f"w has shape {w.shape}, expected (N, {self.style}) or (N, {LAYERS}, {self.style})")
        return w
