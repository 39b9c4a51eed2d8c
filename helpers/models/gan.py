"""A class-conditional GAN of digits from the DCGAN family (Radford et al. 2016, arXiv:1511.06434).

Generator: transposed convolutions from 7 × 7 to 28 × 28. Discriminator: strided convolutions and a projection of the
class (Miyato and Koyama 2018, arXiv:1802.05637). Losses: non-saturating (Goodfellow et al. 2014), with the R1 penalty
on real pictures (Mescheder et al. 2018, arXiv:1801.04406). The discriminator sees real and generated pictures alike
shifted and with a square cut out, so that it cannot learn 4,500 digits by heart (Zhao et al. 2020, arXiv:2006.10738).
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.images import digits
from helpers.models.classifier import DIGIT, batch_of_digits
from helpers.models.vae import CLASSES, _samples, draw_labels, one_hot
from helpers.training import Player, split


def build_generator(latent=64, width=32, shape=DIGIT):
    """Return the network (z (N, latent), class (N, 10)) → picture ``(N, *shape)``; four divides its sides."""
    z, label = keras.Input((latent,)), keras.Input((CLASSES,))
    start = (shape[0] // 4, shape[1] // 4, 3 * width)
    h = layers.Dense(math.prod(start))(layers.Concatenate()([z, label]))
    h = _normalised(layers.Reshape(start)(h))
    h = _normalised(layers.Conv2DTranspose(2 * width, 4, strides=2, padding="same")(h))
    h = _normalised(layers.Conv2DTranspose(width, 4, strides=2, padding="same")(h))
    x = layers.Conv2D(shape[2], 3, padding="same", activation="sigmoid", dtype="float32")(h)
    return keras.Model([z, label], x, name="generator")


def _normalised(h):
    return layers.LeakyReLU(0.2)(layers.GroupNormalization(8)(h))


def build_discriminator(width=32, shape=DIGIT):
    """Return the network (picture, class) → logit (N, 1): positive for real."""
    x, label = keras.Input(shape), keras.Input((CLASSES,))
    h = layers.Rescaling(2.0, -1.0)(x)
    for filters in (width, 2 * width, 3 * width):
        h = layers.LeakyReLU(0.2)(layers.Conv2D(filters, 4, strides=2, padding="same")(h))
    h = layers.LeakyReLU(0.2)(layers.Dense(128)(layers.Flatten()(h)))
    projection = layers.Dot(1)([layers.Dense(128, use_bias=False)(label), h])
    logit = layers.Add(dtype="float32")([layers.Dense(1)(h), projection])
    return keras.Model([x, label], logit, name="discriminator")


def disturb(x, seed):
    """Shift square pictures by up to three pixels and cut up to 9 × 9 pixels out, the same for the whole batch."""
    seeds = split(seed, 2)
    shift = tf.random.stateless_uniform([2], seeds[0], 0, 7, tf.int32)
    side, channels = x.shape[2:]
    x = tf.pad(x, [[0, 0], [3, 3], [3, 3], [0, 0]])
    x = tf.slice(x, [0, shift[0], shift[1], 0], [-1, side, side, channels])
    place = tf.random.stateless_uniform([2], seeds[1], -9, side, tf.int32)
    rows, columns = tf.range(side)[:, None], tf.range(side)[None, :]
    cut = (rows >= place[0]) & (rows < place[0] + 9) & (columns >= place[1]) & (columns < place[1] + 9)
    return tf.where(cut[None, :, :, None], 0.0, x)


class Training:
    """Two players take turns: the discriminator tells real from generated, the generator tries to be taken for real."""

    def __init__(self, recipe, judge):
        self.ready = Gan.blank(recipe)
        self.networks = self.ready.networks
        self.latent, self.penalty = self.ready.latent, recipe.options["r1"]
        data = digits()
        self.x_train, self.y_train, self.judge = tf.constant(data.x_train), tf.constant(data.y_train), judge
        self.players = [Player("discriminator", ["discriminator"], self.discriminator_loss),
                        Player("generator", ["generator"], self.generator_loss)]

    def draw(self, seed, batch):
        """Return real digits, their classes, two latent draws with classes, and a seed for the disturbance."""
        seeds = split(seed, 5)
        index = tf.random.stateless_uniform([batch], seeds[0], 0, len(self.x_train), tf.int32)
        real, label = tf.gather(self.x_train, index), tf.one_hot(tf.gather(self.y_train, index), CLASSES)
        z = tf.random.stateless_normal([batch, 2, self.latent], seeds[1])
        drawn = tf.random.stateless_uniform([batch, 2], seeds[2], 0, CLASSES, tf.int32)
        return real, label, z, tf.one_hot(drawn, CLASSES), tf.repeat(seeds[3][None], batch, 0)

    def discriminator_loss(self, batch):
        """Return -log D(x) - log(1 - D(G(z))), and the squared gradient of D at a quarter of the real pictures.

        Of several devices each takes a quarter of its own share, and at least one picture: there the curve differs
        from that of one device.
        """
        real, label, z, drawn, seeds = batch
        fake = self.networks["generator"]([z[:, 0], drawn[:, 0]], training=True)
        real, fake = disturb(real, seeds[0]), disturb(fake, seeds[0])
        logit = self.networks["discriminator"]([real, label], training=True)
        # a part of the batch tells the slope well enough, at a quarter of the cost
        quarter = tf.maximum(tf.shape(real)[0] // 4, 1)
        some = real[:quarter]
        with tf.GradientTape() as tape:
            tape.watch(some)
            total = tf.reduce_sum(self.networks["discriminator"]([some, label[:quarter]], training=True))
        slope = tf.reduce_sum(tf.square(tape.gradient(total, some)), [1, 2, 3])
        taken = self.networks["discriminator"]([fake, drawn[:, 0]], training=True)
        return (tf.reduce_mean(tf.nn.softplus(-logit)) + tf.reduce_mean(tf.nn.softplus(taken))
                + 0.5 * self.penalty * tf.reduce_mean(slope))

    def generator_loss(self, batch):
        """Return -log D(G(z)): the non-saturating loss."""
        _, _, z, drawn, seeds = batch
        fake = disturb(self.networks["generator"]([z[:, 1], drawn[:, 1]], training=True), seeds[0] + 1)
        return tf.reduce_mean(tf.nn.softplus(-self.networks["discriminator"]([fake, drawn[:, 1]], training=True)))

    def watch(self):
        """Return the Fréchet distance of 2,000 samples as a multiple of its floor, and how evenly classes occur."""
        return _samples(self.ready, 2000, self.judge)

    def evaluate(self):
        """Return the Fréchet distance of 5,000 samples beside its floor, and the share drawn as they were asked for."""
        asked = np.repeat(np.arange(CLASSES), 100)
        right = float(np.mean(self.judge.read(self.ready.sample(1000, seed=1, label=asked)) == asked))
        return {"5,000 samples": _samples(self.ready, 5000, self.judge, interval=True),
                "share read as the class asked for": {"value": right}}


class Gan:
    """The networks with NumPy in and out: ``sample``, ``generate``, ``realism``."""

    def __init__(self, networks):
        self.networks = networks
        self.latent = networks["generator"].input_shape[0][1]
        self._generate = tf.function(lambda z, c: networks["generator"]([z, c], training=False), reduce_retracing=True)
        self._judge = tf.function(lambda x, c: networks["discriminator"]([x, c], training=False), reduce_retracing=True)

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"generator": build_generator(**recipe.options.get("generator", {})),
                    "discriminator": build_discriminator(**recipe.options.get("discriminator", {}))})

    def sample(self, n, seed, label=None):
        """Return ``n`` new digits (n, 28, 28, 1).

        ``label`` is one class 0 … 9 for all, or n of them; by default all classes come equally often, up to one, in
        random order.
        """
        n = validation.integer(n, "n", low=1)
        rng = np.random.default_rng(validation.seed(seed))
        z = rng.standard_normal((n, self.latent))
        return self.generate(z, draw_labels(n, rng, label))

    def generate(self, z, label):
        """Return the pictures (N, 28, 28, 1) of latent codes (N, latent)."""
        z = validation.array(z, "z", ranks=(2,)).astype(np.float32)
        if z.shape[1] != self.latent:
            raise ValueError(f"z has {z.shape[1]} numbers a picture, expected {self.latent}")
        labels = one_hot(draw_labels(len(z), None, label))
        return np.concatenate(
            [self._generate(z[i : i + 500], labels[i : i + 500]).numpy() for i in range(0, len(z), 500)])

    def realism(self, x, label):
        """Return the discriminator's logit for each digit, (N,): above zero it takes it for real."""
        x = batch_of_digits(x)
        return self._judge(x, one_hot(draw_labels(len(x), None, label))).numpy()[:, 0]
