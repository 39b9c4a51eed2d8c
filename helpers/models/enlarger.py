"""Super-resolution: one network that enlarges photographs four times, and two losses that it can be trained with.

Johnson, Alahi and Fei-Fei 2016 (arXiv:1603.08155): of all photographs that agree with a small one, a network that is
trained by squared errors of pixels answers with their mean, which is blurred. Instead the features that another network
sees in its answer can be compared, at the price of pixels. The network is a plain one with residual blocks at the small
size, and at the end a convolution whose 48 channels are the 4 × 4 pixels of one place ("sub-pixel convolution": Shi et
al. 2016, arXiv:1609.05158). What it computes is added to the bicubic enlargement, as Kim, Lee and Lee 2016
(arXiv:1511.04587) do.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import metrics, pretrained
from helpers.images import photos
from helpers.models.crops import Crops
from helpers.models.features import colour_batch
from helpers.models.painter import UNSEEN
from helpers.models.style import mirror
from helpers.operators import Downsample
from helpers.training import Player, split

FACTOR = 4
SEEN = ("expansion1", "depthwise1", "expansion3", "depthwise3")  # may train; the layers of UNSEEN only judge
EDGE = 8  # pixels of a training crop that the features do not see: the strides of their layers divide it
LARGEST = 1_000_000  # pixels of a small photograph: its answer has sixteen times as many


class PixelShuffle(layers.Layer):
    """Turn maps (N, H, W, 16 C) into maps (N, 4 H, 4 W, C): the channels of one place become its 4 × 4 pixels."""

    def call(self, x):
        """Return the larger maps."""
        return tf.nn.depth_to_space(x, FACTOR)

    def compute_output_shape(self, shape):
        """Return the shape of the larger maps."""
        count, height, width, channels = shape
        return count, height and FACTOR * height, width and FACTOR * width, channels // FACTOR**2


class Bicubic(layers.Layer):
    """Enlarge pictures (N, H, W, C) to (N, 4 H, 4 W, C) by the bicubic rule."""

    def call(self, y):
        """Return the larger pictures."""
        return bicubic(y)

    def compute_output_shape(self, shape):
        """Return their shape."""
        count, height, width, channels = shape
        return count, height and FACTOR * height, width and FACTOR * width, channels


def bicubic(y):
    """Return pictures (N, H, W, C) four times as large by the bicubic rule: (N, 4 H, 4 W, C)."""
    return tf.image.resize(y, FACTOR * tf.shape(y)[1:3], method="bicubic")


def build(width=48, blocks=3):
    """Return the network: photographs (N, H, W, 3) in [0, 1] to photographs (N, 4 H, 4 W, 3), about in [0, 1].

    ``width`` is the number of channels of all layers but the last, which has 48. That one begins with zeros, and so the
    network begins as the bicubic enlargement.
    """
    y = keras.Input((None, None, 3), name="small")
    h = layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal")(
        layers.Rescaling(2.0, -1.0)(y))
    for _ in range(blocks):
        inner = layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal")(h)
        h = h + layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal")(inner)
    h = layers.Conv2D(3 * FACTOR**2, 3, padding="same", kernel_initializer="zeros")(h)
    x = layers.Add(dtype="float32")([Bicubic(dtype="float32")(y), PixelShuffle(dtype="float32")(h)])
    return keras.Model(y, x, name="enlarger")


class FeatureDistance:
    """How far the features of one batch of pictures are from those of another: a mean over layers.

    Each is a squared distance divided by the squared size of the second one's features, so that 1 is what pictures get
    to which nothing answers. The layers are those of ``helpers.models.features``.
    """

    def __init__(self, layers):
        self.part = pretrained.shared("features").part(layers)

    def __call__(self, x_hat, x):
        """Return the distance, one number, of pictures (N, H, W, 3) from others of the same shape."""
        parts = [tf.reduce_sum((a - b) ** 2) / tf.reduce_sum(b**2)
                 for a, b in zip(self.part(x_hat), self.part(x), strict=True)]
        return tf.add_n(parts) / len(parts)

    def alone(self, x_hat, x):
        """Return the distance of two pictures (H, W, 3), with a mirrored border: the layers would see grey outside."""
        return float(self(mirror(colour_batch(np.clip(x_hat, 0, 1))), mirror(colour_batch(x))))


class Training:
    """Crops x of photographs, and y = A x with A = Downsample(4), the mean of 4 × 4 pixels.

    The loss is ``pixels`` × the mean squared error + ``features`` × the feature distance from x. Both look through a
    window that is smaller than the crop by 8 pixels and lies elsewhere at each step: the first layer of the features
    moves by 2 pixels, and in a window that stood still some pixels would always count more than their neighbours.
    """

    def __init__(self, recipe, pictures=None):
        self.ready = Enlarger.blank(recipe)
        self.networks = self.ready.networks
        if recipe.options.get("start"):  # by features alone a network is slow to learn where edges lie
            pretrained.put(self.networks, pretrained.read(recipe.options["start"]))
        self.pixels, self.features, patch = (recipe.options[name] for name in ("pixels", "features", "patch"))
        self.crops = Crops(patch, pictures)
        self.watched = photos("other" if pictures is None else "train", size=128, color=True)
        self.players = [Player("enlarger", ["enlarger"], self.loss)]
        self.far, self.judge = FeatureDistance(SEEN), FeatureDistance(UNSEEN)

    def draw(self, seed, batch):
        """Return crops (batch, side, side, 3), and where a window lies, down and right, 0 to 8 pixels.

        There is a place for each crop; the first one's serves the batch.
        """
        seeds = split(seed, 2)
        place = tf.random.stateless_uniform([batch, 2], seeds[1], 0, EDGE + 1, tf.int32)
        return self.crops.draw(seeds[0], batch), place

    def loss(self, batch):
        """Return the loss of what the network makes of the small pictures."""
        x, place = batch
        side = x.shape[1] - EDGE
        down, right = place[0, 0], place[0, 1]
        x_hat = self.networks["enlarger"](tf.nn.avg_pool2d(x, FACTOR, FACTOR, "VALID"), training=True)
        x_hat, x = (one[:, down : down + side, right : right + side] for one in (x_hat, x))
        loss = self.pixels * tf.reduce_mean((x_hat - x) ** 2)
        return loss + self.features * self.far(x_hat, x) if self.features else loss

    def watch(self):
        """Return PSNR and feature distance on pictures that neither train nor test."""
        answers = [(self.ready(Downsample(FACTOR).forward(x)), x) for x in self.watched.values()]
        return {"psnr": float(np.mean([metrics.psnr(x, x_hat) for x_hat, x in answers])),
                "features": float(np.mean([self.far.alone(x_hat, x) for x_hat, x in answers])),
                "unseen features": float(np.mean([self.judge.alone(x_hat, x) for x_hat, x in answers]))}

    def evaluate(self):
        """Return what the model card tells: means over the test photographs, which no training saw."""
        found = {}
        for x in photos("test", size=256, color=True).values():
            y = Downsample(FACTOR).forward(x)
            x_hat = self.ready(y)
            for name, answer in {"value": x_hat, "made to agree": agree(x_hat, y), "bicubic": enlarge(y)}.items():
                for metric, value in {
                        "psnr": metrics.psnr(x, answer), "ssim": metrics.ssim(x, answer),
                        "features of unseen layers": self.judge.alone(answer, x),
                        "features of the layers that train": self.far.alone(answer, x),
                        "off, made small again": float(np.sqrt(np.mean((Downsample(FACTOR).forward(answer) - y) ** 2))),
                }.items():
                    found.setdefault(metric, {}).setdefault(name, []).append(value)
        return {metric: {name: float(np.mean(values)) for name, values in row.items()} for metric, row in found.items()}


def enlarge(y):
    """Return a photograph (H, W, 3) four times as large by the bicubic rule, in [0, 1]."""
    return np.clip(bicubic(_small(y)).numpy()[0], 0, 1)


def agree(x_hat, y):
    """Return the picture nearest to ``x_hat`` (4 H, 4 W, 3) that is ``y`` (H, W, 3) when it is made small again.

    Each square of 4 × 4 pixels moves by what its mean is off. Nothing is clipped.
    """
    off = y - Downsample(FACTOR).forward(x_hat)
    return x_hat + off.repeat(FACTOR, 0).repeat(FACTOR, 1)


def _small(y):
    y = colour_batch(y, "photo")
    if len(y) != 1:
        raise ValueError(f"photo must be one picture (H, W, 3), but its shape is {y.shape}")
    height, width = y.shape[1:3]
    if height * width > LARGEST:
        raise ValueError(f"photo has {width} × {height} pixels, expected at most {LARGEST:,} in all: its answer would "
                         "have sixteen times as many")
    return np.clip(y, 0, 1)


class Enlarger:
    """The network as ``enlarger(photo) -> large``, for colour photographs of any size."""

    def __init__(self, networks):
        self.network = networks["enlarger"]
        self._run = tf.function(lambda y: self.network(y, training=False),
                                input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"enlarger": build(**recipe.options.get("network", {}))})

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"enlarger": self.network}

    def __call__(self, photo):
        """Return a photograph (H, W, 3) in [0, 1] four times as large: float32 (4 H, 4 W, 3), in [0, 1].

        Raises
        ------
        ValueError
            For an array that is no colour picture, or with more than a million pixels.
        """
        return np.clip(self._run(_small(photo)).numpy()[0], 0, 1)
