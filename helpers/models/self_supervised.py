"""Learn to denoise from noisy pictures alone, often from a single one: four ways to do without the truth.

============= ================================ =====================================================
loss          what it asks for                 source
============= ================================ =====================================================
``"pair"``    a second shot with fresh noise   Noise2Noise: Lehtinen et al. 2018, arXiv:1803.04189
``"blind"``   noise that no two pixels share   Noise2Void: Krull et al. 2019, arXiv:1811.10980;
                                               Noise2Self: Batson and Royer 2019, arXiv:1901.11365
``"sure"``    white Gaussian noise of known    Stein 1981 (doi:10.1214/aos/1176345632), with the probe
              level                            of Ramani et al. 2008 (doi:10.1109/TIP.2008.2001404)
============= ================================ =====================================================

The fourth way has no loss without truth but a network without data: :func:`deep_image_prior` (Ulyanov et al. 2018,
arXiv:1711.10925), which is stopped by pixels that it never saw.

The network is small, since one picture has to train it: cosine shrinkage of 8 × 8 patches whose thresholds are
learned. How noisy each place is, it reads off the finest cosines there, so nobody has to tell.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from helpers import validation
from helpers.models import adam_for

PATCH = 8  # pixels: side of the patches whose cosines are shrunk
STRIDE = 2  # pixels from one patch to the next
GRID = 4  # pixels: of each square of this side one is hidden at a time
SMALLEST = 32  # pixels: with less there is next to nothing to learn from
LARGEST = 1_500_000  # pixels: training on more at once needs more memory than a laptop has
LOSSES = ("blind", "sure", "pair")
STEPS, RATE = 120, 0.03
FLOOR = 1e-8  # squared image units: where a picture has less than this, there is no noise to measure


# ------------------------------------------------------------------------------------------- hide and fill in


def hidden_sets(shape):
    """Return the 16 sets of pixels that are hidden in turn, (16, H, W) booleans: every pixel is in exactly one.

    Two pixels of one set are at least four pixels apart, so no hidden pixel is a neighbour of another.
    """
    rows, columns = np.indices(shape)
    return np.stack([(rows % GRID == i) & (columns % GRID == j) for i in range(GRID) for j in range(GRID)])


def neighbours(y):
    """Return at each pixel of y (H, W) the mean of its eight neighbours; the pixel itself does not count.

    At the border those outside are mirrored at the outermost pixels, so a pixel is never its own neighbour.
    """
    height, width = y.shape
    framed = np.pad(y, 1, mode="reflect")
    around = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    return sum(framed[i : i + height, j : j + width] for i, j in around) / np.float32(8)


# ------------------------------------------------------------------------------------------------ the network


class Shrinkage(keras.layers.Layer):
    """Shrink the cosines of overlapping patches: pictures (N, H, W, 1) to pictures of the same shape.

    A cosine z of a patch is multiplied by a gain between 0 and 1 that rises with ln z², from a half where z is as large
    as its threshold. The threshold is a multiple of the noise level in the neighbourhood, which is the mean of ln z²
    over the finest cosines there. The multiple is learned: one number for each cosine, and a small network that looks
    at how large all 64 cosines of the patch and of its neighbours are. Before training, the network is the plain DCT
    shrinkage of ``helpers.restoration``, with a soft step at 2.7 σ. A picture made brighter is answered by a picture
    made brighter.
    """

    def __init__(self, width=24, seed=0):
        super().__init__()
        cosines = _cosines()
        order = np.add.outer(np.arange(PATCH), np.arange(PATCH)).ravel()
        finest = (order >= PATCH - 1).astype(np.float32)
        self.finest = tf.constant((finest / finest.sum()).reshape(1, 1, -1, 1))  # takes their mean
        self.constant = tf.one_hot(0, PATCH * PATCH)  # the cosine that is the mean of a patch
        self.cosines = tf.constant(cosines)
        self.box = tf.ones((PATCH, PATCH, 1, 1))
        count = PATCH * PATCH
        # 1.27 is by how much the mean of ln z² lies below ln σ², where z is Gaussian noise
        self.threshold = self.add_weight((count,), keras.initializers.Constant(np.log(2.7**2) + 1.27), name="threshold")
        self.steepness = self.add_weight((), keras.initializers.Constant(2.0), name="steepness")
        self.sparsity = self.add_weight((), "ones", name="sparsity")
        self.first = self.add_weight((1, 1, count, width), keras.initializers.HeNormal(seed), name="first")
        self.bias = self.add_weight((width,), "zeros", name="bias")
        self.second = self.add_weight((1, 1, width, count), "zeros", name="second")

    def call(self, y):
        """Return the denoised pictures."""
        height, width = y.shape[1:3]
        margin = PATCH - 1
        # at the outermost pixels: in a patch that is its own mirror image, half of the cosines see no noise
        framed = tf.pad(y, [[0, 0], [margin, margin + 1], [margin, margin + 1], [0, 0]], "REFLECT")
        z = tf.nn.conv2d(framed, self.cosines, STRIDE, "VALID")
        power = z**2
        size = tf.math.log(power + FLOOR)
        noise = tf.nn.avg_pool2d(tf.nn.conv2d(size, self.finest, 1, "SAME"), 9, 1, "SAME")
        around = tf.math.log(tf.nn.avg_pool2d(power, 3, 1, "SAME") + FLOOR) - noise
        seen = tf.nn.relu(tf.nn.conv2d(around, self.first, 1, "SAME") + self.bias)
        threshold = self.threshold + tf.nn.conv2d(seen, self.second, 1, "SAME")
        gain = tf.sigmoid(self.steepness * (size - noise - threshold))
        gain = self.constant + (1 - self.constant) * gain  # the mean of a patch stays
        weight = tf.reduce_sum(gain, axis=3, keepdims=True) ** -self.sparsity  # a patch of few cosines counts more
        shape = tf.shape(framed)
        total = tf.nn.conv2d_transpose(weight * gain * z, self.cosines, shape, STRIDE, "VALID")
        weights = tf.nn.conv2d_transpose(weight, self.box, shape, STRIDE, "VALID")
        return (total / weights)[:, margin : margin + height, margin : margin + width]


def _cosines():
    """Return the 64 cosines as the kernels of a convolution: (8, 8, 1, 64), each of length 1."""
    from scipy import fft

    one = fft.dct(np.eye(PATCH), axis=0, norm="ortho")
    return np.einsum("ki,lj->ijkl", one, one).reshape(PATCH, PATCH, 1, PATCH**2).astype(np.float32)


class Learned:
    """A denoiser that was learned without clean pictures: ``denoise(y) -> x_hat``.

    ``losses`` (steps,) holds the loss of every step.
    """

    def __init__(self, network, losses=()):
        self.network = network
        self.losses = np.array(losses, np.float32)
        self._graph = tf.function(network, autograph=False)

    def __call__(self, y):
        """Return y (H, W) without its noise; every pixel of y may count for every pixel of the answer."""
        return self._run(_picture(y))

    def blind(self, y):
        """Return what the network foretells of each pixel of y (H, W) from all others.

        Sixteen passes, each with one set of pixels hidden behind the mean of their neighbours, and only the hidden ones
        are taken from it. So a pixel of the answer does not move with the same pixel of y, not by the last bit.
        """
        y = _picture(y)
        filled, x = neighbours(y), np.empty_like(y)
        for hidden in hidden_sets(y.shape):
            x[hidden] = self._run(np.where(hidden, filled, y))[hidden]
        return x

    def _run(self, y):
        return self._graph(tf.constant(y)[None, ..., None]).numpy()[0, ..., 0]


# ------------------------------------------------------------------------------------------------ learning


def learn(y, loss="blind", *, sigma=None, second=None, steps=STEPS, seed=0, width=24, progress=False):
    """Train the network on one noisy picture and return it as a :class:`Learned`.

    Parameters
    ----------
    y : array (H, W)
        The noisy picture, in image units; at least 32 × 32 pixels.
    loss : str
        "blind": foretell hidden pixels from the others. "sure": Stein's estimate of the error, which needs ``sigma``.
        "pair": foretell ``second`` from y.
    sigma : float, optional
        The level of the noise.
    second : array (H, W), optional
        A second noisy picture of the same scene, whose noise has nothing to do with that of y.
    steps : int
    seed : int
        The same seed gives the same network.
    width : int
        Of the small network that sets the thresholds.
    progress : bool

    Raises
    ------
    ValueError
        For an unknown loss, a picture that is too small or too large, a ``second`` of another shape, and for an
        argument that the loss needs and that is missing.
    """
    from tqdm import trange

    y = _picture(y)
    validation.choice(loss, "loss", LOSSES)
    steps, seed = validation.integer(steps, "steps", low=1), validation.seed(seed)
    network = Shrinkage(validation.integer(width, "width", low=1), seed)
    if loss == "blind":
        objective = _blind(network, y, np.random.default_rng(seed), steps)
    else:
        objective = _sure(network, y, sigma) if loss == "sure" else _pair(network, y, second)
    adam = adam_for(network, keras.optimizers.schedules.CosineDecay(RATE, steps))

    @tf.function(autograph=False)
    def step(number):
        with tf.GradientTape() as tape:
            value = objective(number, tf.stack([seed, number]))
        adam.apply(tape.gradient(value, network.trainable_variables), network.trainable_variables)
        return value

    every = trange(steps, unit="step", disable=not progress, dynamic_ncols=True)
    losses = [step(tf.constant(number)) for number in every]
    return Learned(network, [float(value) for value in losses])


def _blind(network, y, rng, steps):
    """Return the loss of a step: the squared error at one hidden set of pixels, against y itself."""
    hidden = tf.constant(hidden_sets(y.shape))
    rounds = -(-steps // len(hidden))
    turns = tf.constant(np.concatenate([rng.permutation(len(hidden)) for _ in range(rounds)]))  # each as often
    y, filled = tf.constant(y), tf.constant(neighbours(y))

    def loss(number, seed):
        here = hidden[turns[number]]
        x = network(tf.where(here, filled, y)[None, ..., None])[0, ..., 0]
        return tf.reduce_mean(tf.boolean_mask(x - y, here) ** 2)

    return loss


def _sure(network, y, sigma):
    """Return the loss of a step: Stein's estimate of the error, with one random probe."""
    if sigma is None:
        raise ValueError('sigma is missing: the loss "sure" needs the level of the noise')
    sigma = validation.number(validation.sigma(sigma), "sigma", low=0, open_low=True)
    y, epsilon = tf.constant(y), 0.1 * sigma

    def loss(number, seed):
        b = tf.where(tf.random.stateless_uniform(y.shape, seed) < 0.5, -1.0, 1.0)
        x, moved = tf.unstack(network(tf.stack([y, y + epsilon * b])[..., None])[..., 0])
        slope = tf.reduce_mean(b * (moved - x)) / epsilon
        return tf.reduce_mean((x - y) ** 2) + 2 * sigma**2 * slope - sigma**2

    return loss


def _pair(network, y, second):
    """Return the loss of a step: the squared error against the second picture."""
    if second is None:
        raise ValueError('second is missing: the loss "pair" needs another picture of the same scene')
    validation.same_shape(second, "second", y, "y")
    y, second = tf.constant(y), tf.constant(_picture(second, "second"))
    return lambda number, seed: tf.reduce_mean((network(y[None, ..., None])[0, ..., 0] - second) ** 2)


def sure(denoise, y, sigma, seed=0, probes=1):
    """Estimate the mean squared error of ``denoise(y)`` without the truth.

    Stein 1981 (doi:10.1214/aos/1176345632); the sum of the slopes by random signs, Ramani et al. 2008
    (doi:10.1109/TIP.2008.2001404).

    Parameters
    ----------
    denoise : function y -> x_hat
        Without jumps.
    y : array
        A picture with white Gaussian noise.
    sigma : float
        The level of the noise, in image units.
    seed, probes : int
        Each probe costs one more run of ``denoise``.

    Returns
    -------
    float
        In squared image units. Its mean over the noise is the mean error; a single one may even be negative.
    """
    y = validation.array(y, "y")
    sigma = validation.sigma(sigma)
    rng = np.random.default_rng(validation.seed(seed))
    probes = validation.integer(probes, "probes", low=1)
    x, epsilon = denoise(y), 0.1 * sigma
    misfit = np.mean((x - y) ** 2, dtype=np.float64)
    if sigma == 0:
        return float(misfit)
    slopes = []
    for _ in range(probes):
        b = rng.choice(np.array([-1, 1], y.dtype), y.shape)
        slopes.append(np.mean(b * (denoise(y + y.dtype.type(epsilon) * b) - x), dtype=np.float64) / epsilon)
    return float(misfit + 2 * sigma**2 * np.mean(slopes) - sigma**2)


# --------------------------------------------------------------------------------------- the deep image prior


class Untaught(NamedTuple):
    """A picture that a network drew to imitate a noisy one, and the way to it."""

    x: np.ndarray  # (H, W), as it was when the pixels kept aside were foretold best
    stopped: int  # after how many steps that was
    seen: np.ndarray  # (steps,): mean squared distance from y at the pixels of the loss
    aside: np.ndarray  # (steps,): the same at the pixels kept aside
    pictures: list  # what the network drew at the steps of ``keep``


def deep_image_prior(y, *, steps=300, aside=0.1, patience=None, keep=(), seed=0, channels=32, progress=False):
    """Let a convolutional network with a fixed random input imitate y, and stop in time.

    Ulyanov, Vedaldi and Lempitsky 2018 (arXiv:1711.10925): such a network draws pictures sooner than noise. Here some
    pixels are kept out of its loss, and the answer is what the network drew when it foretold those best. (Wang et al.
    2021, arXiv:2112.06074, stop by the variance of the latest pictures instead, which keeps nothing aside.)

    Parameters
    ----------
    y : array (H, W)
        With sides that are multiples of 4, at least 32.
    steps : int
        At most so many.
    aside : float
        The share of the pixels that is kept out of the loss.
    patience : int, optional
        Give up when the pixels kept aside were not foretold better for so many steps; by default all steps are taken.
    keep : sequence of int
        Numbers of steps after which to keep the picture.
    seed : int
        Decides the input, the first weights and the pixels kept aside.
    channels : int
    progress : bool
    """
    from tqdm import trange

    y = _picture(y)
    if y.shape[0] % 4 or y.shape[1] % 4:
        raise ValueError(f"y has {y.shape[0]} × {y.shape[1]} pixels, expected sides that are multiples of 4")
    steps, channels = validation.integer(steps, "steps", low=1), validation.integer(channels, "channels", low=1)
    aside = validation.number(aside, "aside", low=0.001, high=0.9)
    patience = steps if patience is None else validation.integer(patience, "patience", low=1)
    rng = np.random.default_rng(validation.seed(seed))
    kept = tf.constant(rng.random(y.shape) < aside)
    start = tf.constant(rng.standard_normal((1, y.shape[0] // 2, y.shape[1] // 2, channels)), tf.float32)
    network, target = _hourglass(channels, seed), tf.constant(y)
    adam = adam_for(network, 0.01)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            x = network(start, training=True)[0, ..., 0]
            error = (x - target) ** 2
            loss = tf.reduce_mean(tf.boolean_mask(error, ~kept))
        adam.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return x, loss, tf.reduce_mean(tf.boolean_mask(error, kept))

    best, stopped, way, pictures = None, 0, [], []
    for number in trange(steps, unit="step", disable=not progress, dynamic_ncols=True):
        x, *errors = step()
        way.append([float(error) for error in errors])
        if number in keep:
            pictures.append(x.numpy())
        if best is None or way[-1][1] < way[stopped][1]:
            best, stopped = x, number
        elif number - stopped >= patience:
            break
    return Untaught(best.numpy(), stopped, *np.array(way, np.float32).T, pictures)


def _hourglass(channels, seed):
    """Return a network (1, H/2, W/2, channels) to (1, H, W, 1): once down to half the size, twice up, one bridge."""
    seeds = iter(range(100 * seed, 100 * seed + 100))

    def convolution(h, filters=channels, size=3, strides=1):
        start = keras.initializers.HeNormal(next(seeds))
        h = keras.layers.Conv2D(filters, size, strides, "same", use_bias=False, kernel_initializer=start)(h)
        return keras.layers.LeakyReLU(0.1)(keras.layers.BatchNormalization()(h))

    def enlarged(h):
        return keras.layers.UpSampling2D(interpolation="bilinear")(h)

    z = keras.Input((None, None, channels))
    quarter = convolution(convolution(z, strides=2))
    half = convolution(enlarged(quarter) + convolution(z, size=1))
    full = convolution(enlarged(half))
    start = keras.initializers.GlorotUniform(next(seeds))
    return keras.Model(z, keras.layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer=start)(full))


def _picture(y, name="y"):
    y = validation.array(y, name, ranks=(2,)).astype(np.float32)
    if min(y.shape) < SMALLEST:
        raise ValueError(f"{name} has {y.shape[0]} × {y.shape[1]} pixels, expected at least {SMALLEST} on each side: "
                         "a smaller picture does not show enough to learn from")
    if y.size > LARGEST:
        raise ValueError(f"{name} has {y.shape[0]} × {y.shape[1]} pixels, expected at most {LARGEST:,} in all: "
                         "learn from a part of it")
    return y
