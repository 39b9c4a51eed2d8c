"""A convolutional, class-conditional variational autoencoder of digits (Kingma and Welling 2014, arXiv:1312.6114).

Encoder q(z | x, c) = N(m, diag s²), decoder p(x | z, c) = N(d(z, c), τ² I), prior N(0, I). The noise level τ is a
choice. Learned with the rest (Rybkin et al. 2021, arXiv:2006.13202) it falls to 0.06 and the bound is high, but the
codes then leave gaps, and samples of the prior fall into them: their Fréchet distance was 110 times its floor. At
τ = 0.5 the codes fill the prior, and the samples are better by far.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.models.augment import draw_digits
from helpers.models.classifier import DIGIT, batch_of_digits
from helpers.models.restorer import measurements
from helpers.training import Player, split

CLASSES = 10
GENERATOR_ERROR = 0.15  # chosen, in image units: an allowance for strokes that no code draws, of the VAE and of the GAN


def build(latent=16, width=20, shape=DIGIT):
    """Return encoder (x, class) → (m, log s²), decoder (z, class) → picture, and the network that holds log τ.

    The pictures have the ``shape`` (H, W, C), with sides that four divides.
    """
    height, breadth, channels = shape
    x, label = keras.Input(shape), keras.Input((CLASSES,))
    planes = layers.UpSampling2D((height, breadth))(layers.Reshape((1, 1, CLASSES))(label))
    h = layers.Concatenate()([x, planes])
    for filters in (width, 2 * width, 2 * width):
        h = layers.Conv2D(filters, 4, strides=2, padding="same", activation="relu")(h)
    h = layers.Dense(64, activation="relu")(layers.Flatten()(h))
    encoder = keras.Model([x, label], [layers.Dense(latent, dtype="float32")(h),
                                       layers.Dense(latent, dtype="float32")(h)], name="encoder")
    z, label = keras.Input((latent,)), keras.Input((CLASSES,))
    h = layers.Dense(64, activation="relu")(layers.Concatenate()([z, label]))
    start = (height // 4, breadth // 4, 16)
    h = layers.Reshape(start)(layers.Dense(math.prod(start), activation="relu")(h))
    for filters in (32, width):
        h = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", activation="relu")(h)
    picture = layers.Conv2D(channels, 3, padding="same", activation="sigmoid", dtype="float32")(h)
    return {"encoder": encoder, "decoder": keras.Model([z, label], picture, name="decoder"), "noise": _noise()}


def _noise():
    one = keras.Input((1,))
    return keras.Model(one, layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(-1.5),
                                         dtype="float32", name="log_tau")(one), name="noise")


def bound(networks, x, label, noise):
    """Return the evidence lower bound of each picture in nats, (N,), as (reconstruction term, Kullback-Leibler term).

    ELBO = E_q[log p(x | z, c)] - KL(q(z | x, c) ‖ N(0, I)). One z = m + s · noise stands for the expectation; the noise
    is standard Gaussian, (N, latent).
    """
    mean, log_variance = networks["encoder"]([x, label], training=True)
    z = mean + tf.exp(0.5 * log_variance) * noise
    log_tau = networks["noise"](tf.ones([1, 1]))[0, 0]
    error = tf.reduce_sum(tf.square(x - networks["decoder"]([z, label], training=True)), [1, 2, 3])
    pixels = tf.cast(tf.size(x[0]), tf.float32)
    likelihood = -0.5 * error * tf.exp(-2 * log_tau) - pixels * (log_tau + 0.5 * np.log(2 * np.pi))
    divergence = 0.5 * tf.reduce_sum(tf.exp(log_variance) + tf.square(mean) - 1 - log_variance, 1)
    return likelihood, divergence


class Training:
    """Training digits, slightly deformed; the loss is the negative evidence lower bound for each pixel."""

    def __init__(self, recipe, judge):
        self.ready = Vae.blank(recipe)
        self.networks = self.ready.networks
        data = digits()
        self.x_train, self.y_train = tf.constant(data.x_train), tf.constant(data.y_train)
        self.held_out, self.judge, self.strength = (data.x_test, data.y_test), judge, recipe.options["strength"]
        self.networks["noise"].set_weights([np.full((1, 1), np.log(recipe.options["tau"]), np.float32)])
        self.players = [Player("vae", ["encoder", "decoder"], self.loss)]

    def draw(self, seed, batch):
        """Return digits (batch, 28, 28, 1), classes (batch, 10) and noise for the codes (batch, latent)."""
        seeds = split(seed, 2)
        x, index = draw_digits(self.x_train, seeds[0], batch, self.strength)
        noise = tf.random.stateless_normal([batch, self.ready.latent], seeds[1])
        return x, tf.one_hot(tf.gather(self.y_train, index), CLASSES), noise

    def loss(self, batch):
        """Return minus the bound, in nats for each pixel."""
        x, label, noise = batch
        likelihood, divergence = bound(self.networks, x, label, noise)
        return tf.reduce_mean(divergence - likelihood) / (28 * 28)

    def watch(self):
        """Return the bound on the held-out digits and the Fréchet distance of 2,000 samples as a multiple of its
        floor."""
        bound = self.ready.elbo(*self.held_out)
        return {"ELBO": float(np.mean(bound)), **_samples(self.ready, 2000, self.judge)}

    def evaluate(self):
        """Return the bound on the held-out digits, and the Fréchet distance of 5,000 samples beside its floor."""
        x, label = self.held_out
        return {"ELBO of held-out digits (nats)": {"value": float(np.mean(self.ready.elbo(x, label)))},
                "tau": {"value": self.ready.tau},
                "5,000 samples": _samples(self.ready, 5000, self.judge, interval=True)}


def _samples(model, count, judge, interval=False):
    return _quality(model.sample(count, seed=0), judge, interval)


def _quality(x, judge, interval=False):
    """Return what a card says of samples: how near they are to real digits, and how evenly their classes occur."""
    quality, sure = digit_tasks.sample_quality(x, judge), {}
    if interval:
        _, low, high = digit_tasks.multiple_interval(x, judge)
        sure = {"multiple, at least (95 %)": low, "multiple, at most (95 %)": high}
    return {"Fréchet distance": quality.frechet, "floor": quality.floor, "multiple of the floor": quality.multiple,
            **sure, "rarest class": float(quality.coverage.min()), "most frequent class": float(quality.coverage.max())}


class Vae:
    """The networks with NumPy in and out: ``sample``, ``encode``, ``decode``, ``restore``, ``elbo``."""

    def __init__(self, networks):
        self.networks = networks
        self.latent = networks["decoder"].input_shape[0][1]
        self._encode = tf.function(lambda x, c: networks["encoder"]([x, c], training=False), reduce_retracing=True)
        self._decode = tf.function(lambda z, c: networks["decoder"]([z, c], training=False), reduce_retracing=True)
        self._bound = tf.function(lambda x, c, noise: bound(networks, x, c, noise), reduce_retracing=True)

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls(build(**recipe.options.get("network", {})))

    @property
    def tau(self):
        """The noise level of the decoder, in image units."""
        return float(np.exp(self.networks["noise"](np.ones((1, 1), np.float32)).numpy()[0, 0]))

    def sample(self, n, seed, label=None):
        """Return ``n`` new digits (n, 28, 28, 1): the mean of the decoder at random z.

        ``label`` is one class 0 … 9 for all, or n of them; by default all classes come equally often, up to one, in
        random order.
        """
        n = validation.integer(n, "n", low=1)
        rng = np.random.default_rng(validation.seed(seed))
        z = rng.standard_normal((n, self.latent))
        return self.decode(z, draw_labels(n, rng, label))

    def encode(self, x, label):
        """Return the mean and the standard deviation of q(z | x, c), each (N, latent)."""
        x = batch_of_digits(x)
        mean, log_variance = self._encode(x, one_hot(draw_labels(len(x), None, label)))
        return mean.numpy(), np.exp(0.5 * log_variance.numpy())

    def decode(self, z, label):
        """Return the pictures (N, 28, 28, 1) of latent codes (N, latent)."""
        z = validation.array(z, "z", ranks=(2,)).astype(np.float32)
        if z.shape[1] != self.latent:
            raise ValueError(f"z has {z.shape[1]} numbers a picture, expected {self.latent}")
        labels = one_hot(draw_labels(len(z), None, label))
        return np.concatenate(
            [self._decode(z[i : i + 500], labels[i : i + 500]).numpy() for i in range(0, len(z), 500)])

    def restore(self, y, operator, sigma, rounds=10):
        """Return the restored digit or digits, shaped like y: fill in what is lost, look at it, fill in again.

        For each class the mean of the code, and from it the mean of the picture, are taken ``rounds`` times; the class
        stays that explains y best. Rezende, Mohamed and Wierstra 2014 (arXiv:1401.4082) fill in so, with draws in place
        of means.

        Parameters
        ----------
        y : array (28, 28), or a batch (N, 28, 28, 1)
            Damaged digits, zero where a pixel is lost.
        operator : Identity or Mask, or for a batch a list of N of them
        sigma : float
        rounds : int
        """
        batch, mask, _ = measurements(y, operator, sigma)
        rounds = validation.integer(rounds, "rounds", low=1)
        label = np.tile(np.arange(CLASSES), len(batch))
        seen, known = (np.repeat(values, CLASSES, axis=0) for values in (batch, mask))
        spread = GENERATOR_ERROR**2 + np.float32(sigma) ** 2
        trust = known * GENERATOR_ERROR**2 / spread  # 1 where a pixel is known without noise, 0 where it is lost
        x = seen.clip(0, 1)
        for _ in range(rounds):
            mean, _ = self.encode(x, label)
            drawn = self.decode(mean, label)
            x = (drawn + trust * (seen - drawn)).clip(0, 1)
        cost = (known * (drawn - seen) ** 2).sum(axis=(1, 2, 3)) / (2 * spread) + 0.5 * (mean**2).sum(axis=1)
        best = cost.reshape(-1, CLASSES).argmin(axis=1)
        return x.reshape(-1, CLASSES, *DIGIT)[np.arange(len(batch)), best].astype(np.float32).reshape(np.shape(y))

    def elbo(self, x, label, seed=0):
        """Return the evidence lower bound of each digit in nats, (N,), from one draw of z each."""
        x = batch_of_digits(x)
        seed = validation.integer(seed, "seed", low=0, high=2**31 - 1)
        noise = tf.random.stateless_normal([len(x), self.latent], [seed, 0])
        likelihood, divergence = self._bound(x, one_hot(draw_labels(len(x), None, label)), noise)
        return (likelihood - divergence).numpy()


def draw_labels(n, rng, label=None):
    """Return n classes (n,): ``label`` once or n times, or else all classes in random order; raise outside 0 … 9.

    All classes come equally often, up to one. So it is among the digits to train and to test, and shares left to
    chance would count as a fault of the generator.
    """
    if label is None:
        if rng is None:
            raise TypeError("label must be a whole number from 0 to 9, or one for each picture, but None came")
        return rng.permutation(np.resize(rng.permutation(CLASSES), n))
    labels = np.asarray(label)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"label must be a whole number from 0 to 9, but {validation.brief(label)} came")
    if labels.ndim > 1 or (labels.ndim == 1 and len(labels) != n):
        raise ValueError(f"label has shape {labels.shape}, expected one class or {n} of them")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"label must lie in 0 … 9, but {labels.min() if labels.min() < 0 else labels.max()} came")
    return np.broadcast_to(labels, (n,)).astype(np.int64)


def one_hot(labels):
    """Return classes (N,) as rows with a single one, (N, 10)."""
    return np.eye(CLASSES, dtype=np.float32)[labels]
