"""A tokenizer of pictures: 32 × 32 pixels become 8 × 8 whole numbers, and such numbers become pixels again.

A network looks at each place of 4 × 4 pixels, with a little of what is around, and answers with a few numbers. Each of
them is squashed between bounds and rounded to one of a few levels: finite scalar quantisation (Mentzer et al. 2023,
arXiv:2309.15505). All combinations of levels together are the code book. A vector quantiser (van den Oord et al. 2017,
arXiv:1711.00937) learns its book, and has to be kept from using only some of its pages; here there is no book that
could be left unread, and no further loss.

Rounding has slope nought almost everywhere. In training its slope is taken to be one ("straight through"): the encoder
gets the slope that the decoder's loss has at the rounded numbers.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.images import robots
from helpers.models import worlds
from helpers.models.features import colour_batch
from helpers.training import Player

SIDE = 8  # places along a side
PICTURE = (32, 32, 3)
FINE = 4.0  # how much more a pixel counts in the loss where eyes, mouths and accessories lie

# --------------------------------------------------------------------------------------------- quantiser


def bound(z, levels):
    """Squash numbers (..., len(levels)) so that rounding them gives one of ``levels`` whole numbers each.

    With L levels these are -⌊L / 2⌋ … ⌈L / 2⌉ - 1 (Mentzer et al. 2023, section 3.1).
    """
    levels = np.array(levels)
    half = ((levels - 1) * (1 - 1e-3) / 2).astype(np.float32)
    offset = np.where(levels % 2, 0, 0.5).astype(np.float32)
    return tf.tanh(z + np.arctanh(offset / half)) * half - offset


def straight_through(z):
    """Round, and let slopes pass as if nothing had been done."""
    return z + tf.stop_gradient(tf.round(z) - z)


def to_index(codes, levels):
    """Return the number 0 … (product of levels) - 1 of rounded codes (..., len(levels)), as int32 (...)."""
    places = np.cumprod([1, *levels[:-1]]).astype(np.float32)
    low = (np.array(levels) // 2).astype(np.float32)
    return tf.cast(tf.reduce_sum((codes + low) * places, axis=-1), tf.int32)


def from_index(index, levels):
    """Return the codes (..., len(levels)) of numbers (...): the inverse of :func:`to_index`."""
    places = np.cumprod([1, *levels[:-1]]).astype(np.int32)
    digits = tf.cast(index, tf.int32)[..., None] // places % np.array(levels, np.int32)
    return tf.cast(digits - np.array(levels, np.int32) // 2, tf.float32)


# --------------------------------------------------------------------------------------------- networks


class Places(layers.Layer):
    """Add what was learnt of each place of a picture: robots stand in the middle, and a code may mean something else
    where heads are than where feet are."""

    def build(self, shape):
        """Make a number for each place and channel."""
        self.learnt = self.add_weight(shape=tuple(shape[1:]), initializer="zeros", name="learnt")

    def call(self, h):
        """Return h, shifted."""
        return h + tf.cast(self.learnt, h.dtype)


def build_encoder(count, widths=(48, 96)):
    """Return the network: pictures (N, 32, 32, 3) to ``count`` numbers for each of 8 × 8 places.

    A place sees 12 × 12 pixels, so that its numbers tell of what is there: they are easy to foretell.
    """
    x = keras.Input(PICTURE)
    h = layers.Rescaling(4.0, -3.4)(x)
    h = layers.Conv2D(widths[0], 6, strides=2, padding="same", activation="relu")(h)
    h = Places()(layers.Conv2D(widths[1], 4, strides=2, padding="same")(h))
    h = layers.Dense(widths[1], activation="relu")(layers.Activation("relu")(h))
    return keras.Model(x, layers.Dense(count, dtype="float32")(h), name="encoder")


def build_decoder(count, widths=(96, 48)):
    """Return the network: codes (N, 8, 8, ``count``) to pictures (N, 32, 32, 3), which may leave [0, 1] a little."""
    z = keras.Input((SIDE, SIDE, count))
    h = Places()(layers.Conv2D(widths[0], 3, padding="same")(z))
    for _ in range(2):
        r = layers.Conv2D(widths[0], 3, padding="same", activation="relu")(layers.Activation("relu")(h))
        h = h + layers.Dense(widths[0])(r)
    h = Places()(layers.Conv2DTranspose(widths[1], 4, strides=2, padding="same")(layers.Activation("relu")(h)))
    h = h + layers.Conv2D(widths[1], 3, padding="same")(layers.Activation("relu")(h))
    h = layers.Activation("relu")(h)
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", dtype="float32")(h)
    return keras.Model(z, layers.Rescaling(0.25, 0.85, dtype="float32")(x), name="decoder")


# --------------------------------------------------------------------------------------------- training


class Training:
    """Robots without a held-out pair, drawn at random; the loss is the distance of what comes back from them."""

    def __init__(self, recipe):
        self.ready = Tokenizer.blank(recipe)
        self.networks = self.ready.networks
        self.world = worlds.Robots()
        fine = np.max([robots.parts(32)[kind][..., 3].max(axis=(0, 1)) for kind in robots.KINDS[2:]], axis=0)
        weight = 1 + (FINE - 1) * fine[..., None]
        self.weight = tf.constant(weight / weight.mean(), tf.float32)
        self.players = [Player("tokenizer", ["encoder", "decoder"], self.loss)]

    def draw(self, seed, batch):
        """Return robots (batch, 32, 32, 3)."""
        return self.world.draw(seed, batch)[0]

    def loss(self, x):
        """Return the mean absolute error, weighted to where small parts lie, and four times the squared one."""
        error = self.ready.decode_tensor(straight_through(self.ready.bounded(x, training=True)), training=True) - x
        return tf.reduce_mean(self.weight * (tf.abs(error) + 4 * error**2))

    def watch(self):
        """Return what is kept of 300 robots with a held-out pair."""
        return kept(self.ready, robots.draw_robots(300, 5, "held-out"))

    def evaluate(self):
        """Return what is kept of 2,000 robots of each kind, and how many of the codes are in use."""
        report = {}
        for split, what in (("train", "pairs seen"), ("held-out", "pairs held out")):
            report[f"kept, {what}"] = kept(self.ready, robots.draw_robots(2000, 6, split))
        used = np.bincount(self.ready.encode(robots.render(robots.draw_robots(2000, 7))).ravel(),
                           minlength=self.ready.book)
        share = used[used > 0] / used.sum()
        report["codes"] = {"in the book": self.ready.book, "in use": int((used > 0).sum()),
                           "bits a place": float(-(share * np.log2(share)).sum())}
        return report


def kept(tokenizer, said):
    """Return the share of robots (N, 6) that can still be read after both ways, all six attributes and each, and the
    root mean square error of the pixels."""
    x = robots.render(said)
    back = tokenizer.decode(tokenizer.encode(x))
    right = robots.read(back)[0] == said
    return {"all six": float(right.all(axis=1).mean()),
            **{name: float(right[:, k].mean()) for k, name in enumerate(robots.ATTRIBUTES)},
            "error": float(np.sqrt(np.mean((back - x) ** 2)))}


class Tokenizer:
    """The networks with NumPy in and out: ``encode``, ``decode``; and as tensors, for who needs slopes.

    Attributes
    ----------
    levels : tuple of int
        How many levels each number of a place has.
    book : int
        The number of codes: the product of the levels.
    """

    def __init__(self, networks, levels):
        self.networks, self.levels = networks, tuple(levels)
        self.book = int(np.prod(levels))
        self._encode = tf.function(self.encode_tensor, autograph=False,
                                   input_signature=[tf.TensorSpec([None, *PICTURE])])
        self._decode = tf.function(lambda index: self.decode_tensor(from_index(index, self.levels)), autograph=False,
                                   input_signature=[tf.TensorSpec([None, SIDE, SIDE], tf.int32)])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        levels = recipe.options["levels"]
        return cls({"encoder": build_encoder(len(levels)), "decoder": build_decoder(len(levels))}, levels)

    def bounded(self, x, training=False):
        """Return what the encoder says of pictures, bounded and not yet rounded: (N, 8, 8, numbers)."""
        return bound(self.networks["encoder"](x, training=training), self.levels)

    def encode_tensor(self, x):
        """Return the codes of pictures (N, 32, 32, 3) as int32 (N, 8, 8)."""
        return to_index(self.codes_tensor(x), self.levels)

    def codes_tensor(self, x):
        """Return the rounded numbers of pictures (N, 32, 32, 3): (N, 8, 8, numbers)."""
        return tf.round(self.bounded(x))

    def decode_tensor(self, codes, training=False):
        """Return pictures of codes (N, 8, 8, numbers), which need not be whole numbers."""
        return self.networks["decoder"](codes / (np.array(self.levels, np.float32) // 2), training=training)

    def encode(self, x):
        """Return the codes of one picture (32, 32, 3), (8, 8), or of several, (N, 8, 8): whole numbers below
        ``book``."""
        x = validation.array(x, "x")
        if x.shape[-3:] != PICTURE or x.ndim > 4:
            raise ValueError(f"x must have shape (32, 32, 3) or (N, 32, 32, 3), but its shape is {x.shape}")
        pictures = colour_batch(x, "x")
        codes = np.concatenate([self._encode(pictures[i : i + 512]).numpy() for i in range(0, len(pictures), 512)])
        return codes.reshape(*x.shape[:-3], SIDE, SIDE)

    def decode(self, codes):
        """Return the pictures of codes (8, 8) or (N, 8, 8): float32 in [0, 1]."""
        codes = np.asarray(codes)
        if codes.dtype.kind not in "iu":
            raise TypeError(f"codes must hold whole numbers, but their type is {codes.dtype}")
        if codes.shape[-2:] != (SIDE, SIDE) or codes.ndim > 3 or not codes.size:
            raise ValueError(f"codes must have shape (8, 8) or (N, 8, 8), but their shape is {codes.shape}")
        if codes.min() < 0 or codes.max() >= self.book:
            raise ValueError(f"codes must lie in 0 … {self.book - 1}, but they span {codes.min()} … {codes.max()}")
        flat = codes.reshape(-1, SIDE, SIDE).astype(np.int32)
        x = np.concatenate([self._decode(flat[i : i + 512]).numpy() for i in range(0, len(flat), 512)])
        return np.clip(x, 0, 1).reshape(*codes.shape[:-2], *PICTURE)
