"""A network that repaints any photograph in one style in a single pass.

Johnson, Alahi and Fei-Fei 2016 (arXiv:1603.08155): where :func:`helpers.models.style.repaint` walks downhill on the
pixels of one photograph, here a network walks on its weights, once, over many photographs and down the same loss.
Ulyanov, Vedaldi and Lempitsky 2016 (arXiv:1607.08022): if every map is normalised by its own mean and spread, the
contrast of the photograph no longer matters.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from helpers import pretrained
from helpers.images import earth, photo, photos
from helpers.models.crops import Crops
from helpers.models.style import Distances, one_picture, repaint
from helpers.training import Player

LARGEST = 4_500_000  # pixels: on more, the maps of the finest layers need gigabytes
STRIDE = 4  # sides must be multiples of this: two halvings
UNSEEN = ("expansion2", "depthwise2", "expansion4", "depthwise4", "expansion5", "depthwise5")  # judge, never train

STYLES = {  # name: the picture (128, 128, 3) whose style it is
    "dahlia": lambda: photo("flower", size=256, color=True)[50:178, 75:203],
    "tissue": lambda: photo("tissue", size=256, color=True)[64:192, 64:192],
    "relief": lambda: earth.continent("asia").relief[200:328, 200:328],
}


class InstanceNormalization(layers.Layer):
    """Give each map of each picture (N, H, W, C) the mean 0 and the spread 1, then a scale and shift that are learned.

    ``epsilon`` is added to the square of the spread. It must stay small beside it: a map that is shrunk by ``a`` comes
    out the same only as far as ``epsilon`` does not count.
    """

    def __init__(self, epsilon=1e-6, **options):
        super().__init__(**options)
        self.epsilon = epsilon

    def build(self, shape):
        """Make one scale and one shift for each channel."""
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x):
        """Return the normalised maps, shaped like x."""
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        scale = self.scale * ops.rsqrt(variance + self.epsilon)
        return x * scale + (self.shift - mean * scale)


NORMALISATIONS = {"instance": InstanceNormalization, "batch": layers.BatchNormalization}


def build(normalisation="instance", widths=(12, 24, 40), blocks=4):
    """Return the network: photographs (N, H, W, 3) in [0, 1], whose sides are multiples of 4, to painted ones.

    ``widths`` are the numbers of channels before the last convolution, at half the size and at a quarter, where the
    residual ``blocks`` are. Each convolution pads by mirroring, and all but the last are normalised, and so is the
    photograph, which is added to the last. So with instance normalisation the answer is the same for ``x`` and
    ``a x + b`` with ``a > 0``: the first layers of that kind take ``a`` and ``b`` away.
    """
    normalise, (last, middle, coarse) = NORMALISATIONS[normalisation], widths
    x = keras.Input((None, None, 3), name="photo")
    h = layers.ReLU()(normalise()(_convolution(x, middle, size=5, strides=2)))
    h = layers.ReLU()(normalise()(_convolution(h, coarse, strides=2)))
    for _ in range(blocks):
        inner = layers.ReLU()(normalise()(_convolution(h, coarse)))
        h = h + normalise()(_convolution(inner, coarse))
    h = layers.UpSampling2D()(h)  # pixels are repeated, then mixed: a transposed convolution would leave chequerboards
    h = layers.ReLU()(normalise()(_convolution(h, middle)))
    h = layers.ReLU()(normalise()(_convolution(h, last)))
    h = _convolution(layers.UpSampling2D()(h), 3, use_bias=True, start="zeros")
    h = h + normalise()(x)  # so a painter begins with the photograph, as a walk does, and not with a texture
    return keras.Model(x, layers.Activation("sigmoid", dtype="float32")(h), name="painter")


def _convolution(x, filters, size=3, strides=1, use_bias=False, start="he_normal"):
    edge = [size // 2, size // 2]
    x = ops.pad(x, [[0, 0], edge, edge, [0, 0]], mode="symmetric")
    return layers.Conv2D(filters, size, strides, use_bias=use_bias, kernel_initializer=start)(x)


class Training:
    """Crops of photographs; the loss is that of ``repaint``, content + weight × style, as a mean over the batch."""

    def __init__(self, recipe, pictures=None):
        self.ready = Painter.blank(recipe)
        self.networks = self.ready.networks
        if "start" in recipe.options:  # a painter of another style, whose edges and shapes serve as well
            pretrained.put(self.networks, pretrained.read(recipe.options["start"]))
        self.style, self.weight, self.patch = (recipe.options[name] for name in ("style", "weight", "patch"))
        self.watched = photos("other" if pictures is None else "train", size=128, color=True)
        self.players = [Player("painter", ["painter"], self.loss)]
        self.crops, self.picture = Crops(self.patch, pictures), STYLES[self.style]()
        self.distances = Distances(pretrained.shared("features"), self.picture, self.picture)

    def draw(self, seed, batch):
        """Return crops (batch, side, side, 3): whole patches at half their size, or the middle of them as they are."""
        return (self.crops.draw(seed, batch),)

    def loss(self, batch):
        """Return content + weight × style of what is painted: the mean over the batch."""
        (x,) = batch
        content, style = self.distances(self.networks["painter"](x, training=True), x)
        return tf.reduce_mean(content + self.weight * style)

    def watch(self):
        """Return the mean loss on pictures that neither train nor test."""
        x = tf.stack(list(self.watched.values()))
        content, style = self.distances(tf.stack([self.ready(one) for one in self.watched.values()]), x)
        return {"loss": float(tf.reduce_mean(content + self.weight * style))}

    def evaluate(self):
        """Return what the model card tells: distances on the test photographs, which no training saw."""
        test = list(photos("test", size=128, color=True).values())
        answers = {"value": [self.ready(x) for x in test],
                   "repaint, 150 steps": [repaint(x, self.picture, self.weight).x for x in test],
                   "the photographs": test,
                   "faint": [self.ready(0.5 * x + 0.25) for x in test]}
        photographs, answers = tf.stack(test), {name: tf.stack(answer) for name, answer in answers.items()}
        found = {name: self.distances(answer, photographs) for name, answer in answers.items()}
        unseen = Distances(pretrained.shared("features"), self.picture, self.picture, UNSEEN)
        full, faint = found["value"][1], found.pop("faint")[1]
        return {
            f"content + {self.weight:g} x style": {
                name: _mean(content + self.weight * style) for name, (content, style) in found.items()},
            "style of unseen layers": {name: _mean(unseen(answers[name], photographs)[1]) for name in found},
            "style with the contrast halved": {"value": _mean(faint), "with all of it": _mean(full),
                                               "moved by": _mean(abs(faint - full))},
        }


def _mean(values):
    return float(tf.reduce_mean(values))


class Painter:
    """The network as ``painter(photo) -> painted``, for colour photographs of any size from 16 pixels a side on."""

    def __init__(self, networks):
        self.network = networks["painter"]
        self._run = tf.function(lambda x: self.network(x, training=False),
                                input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"painter": build(**recipe.options["network"])})

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"painter": self.network}

    def __call__(self, photo):
        """Return a photograph (H, W, 3) in [0, 1] repainted: float32 of the same shape, in [0, 1].

        The strokes are as large as on the picture of the style, in pixels: on a larger photograph they look finer.

        Raises
        ------
        ValueError
            For an array that is no colour picture, with a side under 16 pixels, or with more than 4.5 million pixels.
        """
        x = one_picture(photo, "photo", LARGEST)
        height, width = x.shape[1:3]
        x = np.pad(x, [(0, 0), (0, -height % STRIDE), (0, -width % STRIDE), (0, 0)], mode="symmetric")
        return self._run(x).numpy()[0, :height, :width]
