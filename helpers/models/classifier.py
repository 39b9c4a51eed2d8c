"""A digit classifier: it judges whether a digit can still be read, and its features carry the Fréchet distance."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import metrics, validation
from helpers.images import digits
from helpers.models.augment import draw_digits
from helpers.training import Player

DIGIT = (28, 28, 1)


def build(widths=(24, 48, 96), features=64, shape=DIGIT):
    """Return the network: pictures ``(N, *shape)``, by default digits, to logits (N, 10) and features (N, 64)."""
    x = keras.Input(shape)
    h = x
    for stage, width in enumerate(widths):
        if stage:
            h = layers.MaxPooling2D()(h)
        for _ in range(2):
            h = layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal")(h)
    h = layers.Flatten()(layers.MaxPooling2D()(h))
    h = layers.Dropout(0.3)(h)
    h = layers.Dense(features, activation="relu", kernel_initializer="he_normal", dtype="float32")(h)
    return keras.Model(x, [layers.Dense(10, dtype="float32")(layers.Dropout(0.3)(h)), h], name="classifier")


class Training:
    """Deformed training digits with their labels; the loss is the cross-entropy."""

    def __init__(self, recipe):
        self.ready = Classifier.blank(recipe)
        self.networks = self.ready.networks
        data = digits()
        self.x_train, self.y_train = tf.constant(data.x_train), tf.constant(data.y_train)
        self.held_out = data.x_test, data.y_test
        self.players = [Player("classifier", ["classifier"], self.loss)]

    def draw(self, seed, batch):
        """Return deformed digits (batch, 28, 28, 1) and their labels (batch,)."""
        x, index = draw_digits(self.x_train, seed, batch)
        return x, tf.gather(self.y_train, index)

    def loss(self, batch):
        """Return the mean cross-entropy."""
        x, label = batch
        logits, _ = self.networks["classifier"](x, training=True)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits))

    def watch(self):
        """Return the share of held-out digits that are read right."""
        x, label = self.held_out
        return {"accuracy": float(np.mean(self.ready.read(x) == label))}

    def evaluate(self):
        """Return the held-out accuracy beside the nearest training digit's."""
        x, label = self.held_out
        x_train = self.x_train.numpy().reshape(-1, 784)
        squares = (x_train**2).sum(1) - 2 * x.reshape(-1, 784) @ x_train.T
        nearest = self.y_train.numpy()[squares.argmin(1)]
        return {"held-out accuracy": {**self.watch(), "nearest training digit": float(np.mean(nearest == label)),
                                      "digits": len(label)}}


class Classifier:
    """The network with NumPy in and out: ``read``, ``probabilities``, ``features``."""

    def __init__(self, networks):
        self.network = networks["classifier"]
        self._run = tf.function(lambda x: self.network(x, training=False),
                                input_signature=[tf.TensorSpec(self.network.input_shape, tf.float32)])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"classifier": build()})

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"classifier": self.network}

    def _outputs(self, x):
        x = batch_of_digits(x, shape=self.network.input_shape[1:])
        parts = [self._run(x[i : i + 512]) for i in range(0, len(x), 512)]
        return (np.concatenate([part[k].numpy() for part in parts]) for k in range(2))

    def read(self, x):
        """Return the digit read in each image of a batch (N, 28, 28, 1), as whole numbers (N,)."""
        logits, _ = self._outputs(x)
        return logits.argmax(axis=1)

    def probabilities(self, x):
        """Return the probability of each class, shape (N, 10)."""
        logits, _ = self._outputs(x)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def features(self, x):
        """Return what the last hidden layer sees, shape (N, 64)."""
        _, features = self._outputs(x)
        return features

    def coverage(self, x):
        """Return the share of each class among the images of a batch, shape (10,)."""
        return metrics.class_coverage(self.read(x))


def batch_of_digits(x, name="x", slack=4.0, shape=DIGIT):
    """Return x as a batch (N, 28, 28, 1) float32, clipped to [0, 1]; a batch (N, 28, 28) or one image is welcome.

    With another ``shape`` (H, W, C), pictures of that shape.
    """
    x = validation.array(x, name, ranks=(2, 3, 4))
    if x.ndim == 2:
        x = x[None]
    if x.ndim == 3:
        x = x[..., None] if shape[2] == 1 else x[None]
    if x.shape[1:] != shape:
        raise ValueError(f"{name} must have shape (N, {', '.join(map(str, shape))}), but its shape is {x.shape}")
    if x.min() < -slack or x.max() > 1 + slack:
        raise ValueError(f"{name} must lie in [0, 1], but it spans [{x.min():.3g}, {x.max():.3g}]"
                         + (": divide 0-255 data by 255" if x.max() > 2 else ""))
    return np.clip(x, 0, 1).astype(np.float32)
