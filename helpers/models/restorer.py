"""A supervised restorer of digits: one U-Net for every damage, told the mask and the noise level.

It looks at the damaged digit (y, where it is known, how noisy it is) and answers with one picture. Trained on pairs
of clean and damaged digits, it is the yardstick for methods that were not told the damage in advance.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import restoration, validation
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.models.augment import draw_digits
from helpers.operators import Identity, Mask
from helpers.training import Player, split


def build(channels=(24, 48, 128), shape=(28, 28, 1)):
    """Return the network: (N, H, W, C + 2), that is y, mask and noise level, to the picture (N, H, W, C)."""
    fine, middle, coarse = channels
    y = keras.Input((*shape[:2], shape[2] + 2), name="y_mask_sigma")
    a = _residual(_convolution(fine)(y))
    b = _residual(_residual(_convolution(middle, 2, strides=2)(a)))
    c = _convolution(coarse, 2, strides=2)(b)
    for _ in range(3):
        c = _residual(c)
    b = _residual(_residual(b + layers.Conv2DTranspose(middle, 2, strides=2)(c)))
    a = _residual(a + layers.Conv2DTranspose(fine, 2, strides=2)(b))
    x = layers.Conv2D(shape[2], 3, padding="same", dtype="float32")(layers.ReLU()(a))
    return keras.Model(y, x, name="restorer")


def _convolution(filters, size=3, strides=1, start="he_normal"):
    return layers.Conv2D(filters, size, strides=strides, padding="same", kernel_initializer=start)


def _residual(x):
    filters = x.shape[-1]
    h = _convolution(filters)(layers.ReLU()(x))
    return x + _convolution(filters, start="zeros")(layers.ReLU()(h))


def draw_damage(x, seed):
    """Damage each digit of a batch in one of four ways at random; return y, mask and sigma, all (N, 28, 28, 1).

    A rectangular hole, everything below a line, 40 to 90 % of the pixels, or noise of level 0.05 to 0.7. Lost pixels
    are zero.
    """
    count = tf.shape(x)[0]
    seeds = split(seed, 6)
    kind = tf.random.stateless_uniform([count, 1, 1], seeds[0], 0, 4, tf.int32)
    rows, columns = tf.range(28)[None, :, None], tf.range(28)[None, None, :]
    usual = tf.random.stateless_uniform([count, 1, 1], seeds[1]) < 0.7  # mostly the league's damages
    u = tf.random.stateless_uniform([count, 1, 1, 4], seeds[2])

    def whole(low, high, which, league):
        drawn = tf.cast(low + u[..., which] * (high - low + 1), tf.int32)
        return tf.where(usual, league, drawn)

    top, left = whole(2, 12, 0, 7), whole(2, 12, 1, 7)
    tall, wide = whole(8, 16, 2, 14), whole(8, 16, 3, 14)
    hole = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
    below = (rows >= whole(10, 20, 0, 14)) & (columns >= 0)
    known_share = tf.where(usual, 0.25, 0.1 + 0.5 * u[..., 0])
    scattered = tf.random.stateless_uniform([count, 28, 28], seeds[3]) >= known_share
    lost = ((kind == 0) & hole) | ((kind == 1) & below) | ((kind == 2) & scattered)
    mask = 1 - tf.cast(lost, tf.float32)[..., None]
    noisy = tf.where(usual, 0.5, 0.05 + 0.65 * u[..., 1])
    sigma = tf.where(kind == 3, noisy, tf.zeros_like(noisy))[..., None]
    y = mask * (x + sigma * tf.random.stateless_normal(tf.shape(x), seeds[4]))
    return y, mask, tf.broadcast_to(sigma, tf.shape(x))


def keep_known(x, y, mask, sigma):
    """Put the pixels that are known without noise back into an estimate: the data are sure of them."""
    return tf.where((mask > 0) & (sigma == 0), y, x)


class Training:
    """Deformed and damaged training digits; the loss is the mean logarithm of each picture's squared error.

    That is the PSNR but for a factor. It lets a picture that is nearly right become quite right, where the plain mean
    would work on the hopeless ones.
    """

    def __init__(self, recipe, judge):
        self.ready = Restorer.blank(recipe)
        self.networks = self.ready.networks
        data = digits()
        self.strength = recipe.options["strength"]
        self.x_train, self.held_out, self.judge = tf.constant(data.x_train), (data.x_test, data.y_test), judge
        self.players = [Player("restorer", ["restorer"], self.loss)]

    def draw(self, seed, batch):
        """Return (clean x, y, mask, sigma), each (batch, 28, 28, 1)."""
        seeds = split(seed, 2)
        x, _ = draw_digits(self.x_train, seeds[0], batch, self.strength)
        return x, *draw_damage(x, seeds[1])

    def loss(self, batch):
        """Return the mean of log(mean squared error) over pictures."""
        x, y, mask, sigma = batch
        estimate = self.networks["restorer"](tf.concat([y, mask, sigma], -1), training=True)
        error = tf.reduce_mean(tf.square(keep_known(estimate, y, mask, sigma) - x), [1, 2, 3])
        return tf.reduce_mean(tf.math.log(error + 1e-4))

    def watch(self):
        """Return the PSNR and the readable share of the first 200 held-out digits under the league's damages."""
        x, label = (values[:200] for values in self.held_out)
        return {f"{task} {kind}": value for task in digit_tasks.TASKS
                for kind, value in digit_tasks.score(self.ready.restore, x, label, task, self.judge.read).items()}

    def evaluate(self):
        """Return PSNR and readable share on all held-out digits, beside biharmonic inpainting and total variation."""
        report = {}
        for name, task in digit_tasks.TASKS.items():
            rival = restoration.total_variation if task.sigma else restoration.biharmonic
            methods = {"value": self.ready.restore, rival.__name__: digit_tasks.one_by_one(rival)}
            report[name] = {key: digit_tasks.score(method, *self.held_out, name, self.judge.read)
                            for key, method in methods.items()}
        return report


class Restorer:
    """The network as ``restore(y, operators, sigma) -> x_hat``."""

    def __init__(self, networks):
        self.network = networks["restorer"]
        self._run = tf.function(self._restore, input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32)] * 3)

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"restorer": build(**recipe.options.get("network", {}))})

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"restorer": self.network}

    def _restore(self, y, mask, sigma):
        x = self.network(tf.concat([y, mask, sigma], -1), training=False)
        return tf.clip_by_value(keep_known(x, y, mask, sigma), 0, 1)

    def restore(self, y, operator, sigma):
        """Return the restored digit or digits, shaped like y.

        Parameters
        ----------
        y : array (28, 28), or a batch (N, 28, 28, 1)
            Damaged digits, zero where a pixel is lost.
        operator : Identity or Mask, or for a batch a list of N of them
        sigma : float
            Noise level; the network was trained for noise without loss, or loss without noise.
        """
        batch, mask, sigma = measurements(y, operator, sigma)
        parts = [self._run(*(values[i : i + 256] for values in (batch, mask, sigma))).numpy()
                 for i in range(0, len(batch), 256)]
        return np.concatenate(parts).reshape(np.shape(y))


def measurements(y, operator, sigma):
    """Return y, mask and sigma as arrays (N, 28, 28, 1), from one measurement or a batch; raise if they do not fit."""
    y = validation.array(y, "y", ranks=(2, 4))
    sigma = validation.sigma(sigma)
    if np.abs(y).max() > 1 + 5 * max(sigma, 0.5):
        raise ValueError(f"y spans [{y.min():.3g}, {y.max():.3g}], too much for pictures in [0, 1]: "
                         "divide 0-255 data by 255")
    operators = list(operator) if isinstance(operator, (list, tuple)) else [operator] * (1 if y.ndim == 2 else len(y))
    y = y.reshape(-1, *y.shape[-2:], 1) if y.ndim == 2 else y
    if y.shape[1:] != (28, 28, 1):
        raise ValueError(f"y must have shape (28, 28) or (N, 28, 28, 1), but its shape is {y.shape}")
    if len(operators) != len(y):
        raise ValueError(f"operator has {len(operators)} entries, expected {len(y)} like y")
    mask = np.ones_like(y, dtype=np.float32)
    for i, one in enumerate(operators):
        if isinstance(one, Mask):
            if one.mask.shape != (28, 28):
                raise ValueError(f"operator: its mask has shape {one.mask.shape}, expected (28, 28) like y")
            mask[i, ..., 0] = one.mask
        elif not isinstance(one, Identity):
            name = getattr(one, "name", None) or validation.brief(one)
            raise ValueError(f"operator {name} is unknown to this model: it was trained for Identity and Mask")
    y = (y * mask).astype(np.float32)
    return y, mask, np.full_like(y, sigma)

