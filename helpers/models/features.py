"""What a network that names photographs sees in its first layers: features for styles, perceptual losses, distances.

The first six blocks of EfficientNet-Lite0 (Tan and Le 2019, arXiv:1905.11946, in the variant without
squeeze-and-excitation that TensorFlow ships for phones), trained by its makers on ImageNet. Their batch normalisation
is folded into the convolutions, so a layer is a convolution, a bias, and perhaps ReLU6. ``python -m helpers convert``
took the weights from a package; nothing here trains them.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import metrics, validation

SHIPPED = 6  # blocks of the sixteen
# (kernel, stride, expansion, channels) of the blocks; where stride is 1 and the channels stay, the input is added
BLOCKS = ((3, 1, 1, 16),
          (3, 2, 6, 24), (3, 1, 6, 24),
          (5, 2, 6, 40), (5, 1, 6, 40),
          (3, 2, 6, 80), (3, 1, 6, 80), (3, 1, 6, 80),
          (5, 1, 6, 112), (5, 1, 6, 112), (5, 1, 6, 112),
          (5, 2, 6, 192), (5, 1, 6, 192), (5, 1, 6, 192), (5, 1, 6, 192),
          (3, 1, 6, 320))
LAYERS = ("stem", "depthwise0", *(f"{kind}{i}" for i in range(1, SHIPPED) for kind in ("expansion", "depthwise")))
STYLE = ("stem", "depthwise0", "expansion1", "depthwise1", "expansion3", "depthwise3")
CONTENT = "depthwise3"
POOLED = f"projection{SHIPPED - 1}"  # the last layer shipped: its means over a picture carry the Fréchet distance


def build(blocks=SHIPPED):
    """Return the network: pictures (N, H, W, 3) in [0, 1] to the outputs of the last block, (N, H/16, W/16, 80).

    The layers whose names stand in ``LAYERS`` end in ReLU6, and are the ones to take features from. With
    ``blocks=16`` it is all of EfficientNet-Lite0 but its head.
    """
    x = keras.Input((None, None, 3), name="picture")
    h = layers.Rescaling(255 / 128, -127 / 128)(x)  # (255 x - 127) / 128, what the network was trained on
    h = _convolution(32, 3, 2, "stem")(h)
    for i, (kernel, stride, expansion, channels) in enumerate(BLOCKS[:blocks]):
        before = h
        if expansion > 1:
            h = _convolution(expansion * h.shape[-1], 1, 1, f"expansion{i}")(h)
        h = layers.DepthwiseConv2D(kernel, stride, "same", activation="relu6", name=f"depthwise{i}")(h)
        h = _convolution(channels, 1, 1, f"projection{i}", activation=None)(h)
        if stride == 1 and before.shape[-1] == channels:
            h = layers.Add(name=f"sum{i}")([before, h])
    return keras.Model(x, h, name="features")


def _convolution(filters, kernel, stride, name, activation="relu6"):
    return layers.Conv2D(filters, kernel, stride, "same", activation=activation, name=name)


def gram(maps):
    """Return the Gram matrices (N, C, C) of features (N, H, W, C): means over all places of products of two channels.

    It says which features appear together, and no longer where. Dividing by the number of places lets pictures of
    different sizes be compared.
    """
    maps = tf.convert_to_tensor(maps)
    places = tf.reshape(maps, [tf.shape(maps)[0], -1, maps.shape[-1]])
    return _products(places) / tf.cast(tf.shape(places)[1], maps.dtype)


@tf.custom_gradient
def _products(places):
    """Return Pᵀ P of each P (N, places, C). Both factors are the same, so its slope needs one product and not two."""

    def slope(up):
        return places @ (up + tf.linalg.matrix_transpose(up))

    return tf.matmul(places, places, transpose_a=True), slope


class Features:
    """The network with NumPy in and out: ``maps``, ``grams``, ``pooled``, ``frechet``; ``part`` for use in a graph."""

    def __init__(self, networks):
        self.network = networks["features"]
        self.network.trainable = False
        self._parts = {}

    @classmethod
    def blank(cls, recipe=None):
        """Return one with random weights, which the trained ones are then read into."""
        return cls({"features": build()})

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"features": self.network}

    def part(self, names):
        """Return a frozen Keras model from pictures (N, H, W, 3) to a list of the outputs of the named layers.

        For one name Keras gives the output alone. Layers behind the last one that is named are not computed. ``names``
        are of ``LAYERS``, or ``POOLED``.
        """
        names = _names(names)
        model = keras.Model(self.network.input, [self.network.get_layer(name).output for name in names])
        model.trainable = False
        return model

    def maps(self, x, names=LAYERS):
        """Return the features of pictures as a dictionary from name to array (N, h, w, C).

        They lie between 0 and 6, but for those of ``POOLED``.
        ``x`` is a picture (H, W, 3) or a batch (N, H, W, 3), in [0, 1]. The sides of the maps are those of the picture
        divided by 2, 4, 8 or 16, rounded up.
        """
        names = _names(names)
        if names not in self._parts:
            self._parts[names] = self.part(names)
        x = colour_batch(x)
        outputs = [tf.nest.flatten(self._parts[names](x[i : i + 64], training=False)) for i in range(0, len(x), 64)]
        return {name: np.concatenate([part[k].numpy() for part in outputs]) for k, name in enumerate(names)}

    def grams(self, x, names=STYLE):
        """Return the Gram matrices of pictures as a dictionary from name to array (N, C, C)."""
        return {name: gram(maps).numpy() for name, maps in self.maps(x, names).items()}

    def pooled(self, x):
        """Return the last layer's mean over each picture, (N, 80): a short description of what is in it."""
        return self.maps(x, (POOLED,))[POOLED].mean(axis=(1, 2))

    def frechet(self, x_a, x_b):
        """Return the Fréchet distance between two sets of colour pictures, (N, H, W, 3) and (M, H, W, 3) in [0, 1].

        It compares means and covariances of 80 pooled features, so each set needs a few hundred pictures. It is not
        the FID, which takes another network, and it means nothing without :meth:`floor`.
        """
        return metrics.frechet_distance(self.pooled(x_a), self.pooled(x_b))

    def floor(self, x, seed=0):
        """Return the Fréchet distance of real pictures to real ones: between two random halves of ``x``.

        The fewer pictures, the larger it is: compare it with distances between sets as large as these halves.
        """
        features = self.pooled(x)
        if len(features) < 4:
            raise ValueError(f"x has {len(features)} pictures, but two halves need at least 4")
        order = np.random.default_rng(validation.seed(seed)).permutation(len(features))
        half = len(order) // 2
        return metrics.frechet_distance(features[order[:half]], features[order[half : 2 * half]])


def _names(names):
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names:
        raise ValueError("names is empty: name at least one layer")
    return tuple(validation.choice(name, "names", (*LAYERS, POOLED)) for name in names)


def colour_batch(x, name="x"):
    """Return x, a colour picture (H, W, 3) or a batch (N, H, W, 3), as a float32 batch; raise if it is none.

    Values may lie outside [0, 1] by 0.001.
    """
    x = validation.array(x, name, ranks=(3, 4))
    if x.shape[-1] != 3:
        raise ValueError(f"{name} must have shape (H, W, 3) or (N, H, W, 3), but its shape is {x.shape}")
    low, high = float(x.min()), float(x.max())
    if low < -1e-3 or high > 1 + 1e-3:
        hint = ": divide 0-255 data by 255" if high > 2 else ""
        raise ValueError(f"{name} must lie in [0, 1], but it spans [{low:.3g}, {high:.3g}]{hint}")
    return (x if x.ndim == 4 else x[None]).astype(np.float32)
