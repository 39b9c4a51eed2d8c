"""A photo denoiser: one small U-Net for every noise level from 0 to 55/255, told the level as a last channel.

One knows grey pictures, one colours: there the three channels go through the same network, which knows that most edges
are edges of all three. That one, as shipped, changes pictures with little noise more than it should, and the grey one,
shown brightness and contrasts, is a match for it: see its card, and ``helpers.league.photographs``.

The design follows DRUNet (Zhang et al. 2021, doi:10.1109/TPAMI.2021.3088914): residual blocks without normalisation
and without biases, on three scales, at a fiftieth of its size. Without biases the network is homogeneous, f(a y, a σ)
= a f(y, σ) for a > 0, which makes it reliable at noise levels that it saw seldom (Mohan et al. 2020,
arXiv:1906.05478).
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import metrics, pretrained, validation
from helpers.images import photos
from helpers.images.folder import Photographs
from helpers.training import Player, split

STRIDE = 8  # sides must be multiples of this: three halvings
REACH = 64  # pixels: no output depends on input farther away than this
TILE = 512  # pixels: larger pictures are worked on in tiles, each with a margin of REACH


def build(channels=(56, 72, 96), colours=1):
    """Return the network: (N, H, W, C + 1), the noisy picture and its noise level, to the picture (N, H, W, C).

    ``channels`` are the widths at a half, a quarter and an eighth of the picture's size, ``colours`` is C: 1 or 3.
    """
    fine, middle, coarse = channels
    y = keras.Input((None, None, colours + 1), name="y_and_sigma")
    a = _convolution(fine, 6, strides=2)(y)
    a = _residual(_residual(a))
    b = _residual(_convolution(middle, 2, strides=2)(a))
    c = _residual(_convolution(coarse, 2, strides=2)(b))
    b = _residual(b + layers.Conv2DTranspose(middle, 2, strides=2, use_bias=False)(c))
    a = a + layers.Conv2DTranspose(fine, 2, strides=2, use_bias=False)(b)
    a = _residual(_residual(a))
    noise = layers.Conv2DTranspose(colours, 6, strides=2, padding="same", use_bias=False, dtype="float32")(a)
    return keras.Model(y, y[..., :colours] - noise, name="denoiser")


def _convolution(filters, size=3, strides=1, start="he_normal"):
    return layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False, kernel_initializer=start)


def _residual(x):
    """Add two convolutions to x; the second starts at zero, so that at first a block does nothing."""
    filters = x.shape[-1]
    return x + _convolution(filters, start="zeros")(layers.ReLU()(_convolution(filters)(x)))


class Training:
    """Patches of photographs, turned and mirrored, under noise of a random level; the loss is the mean error."""

    def __init__(self, recipe, pictures=None):
        self.ready = Denoiser.blank(recipe)
        self.networks = self.ready.networks
        self.patch, self.sigma_max = recipe.options["patch"], recipe.options["sigma_max"]
        self.power = recipe.options.get("power", 1.0)  # above 1: little noise is met more often
        self.colours = self.ready.colours
        color = self.colours == 3
        self.watched = photos("other" if pictures is None else "train", size=128, color=color)
        self.players = [Player("denoiser", ["denoiser"], self.loss)]
        self.folder = pictures if isinstance(pictures, Photographs) else None
        if self.folder is not None:
            return
        if pictures is None:
            pictures = list(photos("train", size=None, color=color).values())
        smallest = min(min(picture.shape[:2]) for picture in pictures)
        if smallest < self.patch:
            raise ValueError(f"photos: the smallest side is {smallest} pixels, but patches have {self.patch}")
        self.shapes = tf.constant([picture.shape[:2] for picture in pictures], tf.int64)
        self.starts = tf.cumsum(tf.reduce_prod(self.shapes, axis=1), exclusive=True)
        levels = [np.rint(255 * picture).astype(np.uint8).reshape(-1, self.colours) for picture in pictures]
        self.pixels = tf.constant(np.concatenate(levels))

    def draw(self, seed, batch):
        """Return (y with its noise level, clean x) of shapes (batch, patch, patch, C + 1) and (…, C)."""
        seeds = split(seed, 5)
        count = len(self.starts) if self.folder is None else self.folder.window
        which = tf.random.stateless_uniform([batch], seeds[0], 0, count, tf.int32)
        place = tf.random.stateless_uniform([batch, 2], seeds[1])
        x = tf.cast(self._patches(seed[1], which, place), tf.float32) / 255
        turns = tf.random.stateless_uniform([3], seeds[2]) < 0.5  # one of the eight symmetries for the whole batch
        x = tf.cond(turns[0], lambda: tf.transpose(x, [0, 2, 1, 3]), lambda: x)
        x = tf.cond(turns[1], lambda: tf.reverse(x, [1]), lambda: x)
        x = tf.cond(turns[2], lambda: tf.reverse(x, [2]), lambda: x)
        sigma = self.sigma_max * tf.random.stateless_uniform([batch, 1, 1, 1], seeds[3]) ** self.power
        y = x + sigma * tf.random.stateless_normal(tf.shape(x), seeds[4])
        return tf.concat([y, tf.broadcast_to(sigma, [*tf.unstack(tf.shape(y)[:3]), 1])], -1), x

    def _patches(self, step, which, place):
        """Return patches (batch, patch, patch, C) of uint8: of the pictures in memory, or of those in a folder."""
        if self.folder is not None:
            x = tf.numpy_function(self.folder.patches, [step, which, place], tf.uint8)
            return tf.reshape(x, [which.shape[0], self.patch, self.patch, self.colours])
        shape = tf.gather(self.shapes, which)
        corner = tf.cast(place * tf.cast(shape - self.patch + 1, tf.float32), tf.int64)
        steps = tf.range(self.patch, dtype=tf.int64)
        index = (tf.gather(self.starts, which) + corner[:, 0] * shape[:, 1] + corner[:, 1])[:, None, None]
        index += steps[None, :, None] * shape[:, 1, None, None] + steps[None, None, :]
        return tf.gather(self.pixels, index)

    def loss(self, batch):
        """Return the mean absolute error: unlike the square, it does not let the noisiest patches drown the others."""
        y, x = batch
        return tf.reduce_mean(tf.abs(self.networks["denoiser"](y, training=True) - x))

    def watch(self):
        """Return the PSNR at σ = 25/255 on pictures that neither train nor test."""
        return {"PSNR at 25": _mean_psnr(self.ready, self.watched, 25 / 255)}

    def evaluate(self):
        """Return what the model card tells: PSNR on the test photographs (of colours: on those that have some), beside
        the best classical denoiser's."""
        from helpers.operators import Identity
        from helpers.restoration import dct_shrinkage

        color = self.colours == 3
        test, rivals = photos("test", color=color), {"value": self.ready}
        if color:  # some of the photographs are grey
            test = {name: x for name, x in test.items() if np.ptp(x, axis=2).any()}
            from helpers.league.photographs import by_contrasts

            grey = pretrained.shared("denoiser")
            rivals["the grey network, channel by channel"] = grey
            rivals["the grey network, on brightness and contrasts"] = by_contrasts(grey)
        rivals["dct_shrinkage"] = lambda y, sigma: dct_shrinkage(y, Identity(), sigma)
        return {
            f"PSNR at sigma = {level}/255 (dB)": {
                who: _mean_psnr(denoise, test, level / 255) for who, denoise in rivals.items()}
            for level in (15, 25, 50)
        }


def _mean_psnr(denoise, pictures, sigma):
    scores = []
    for x in pictures.values():
        y = x + sigma * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
        scores.append(metrics.psnr(x, np.clip(denoise(y, sigma), 0, 1)))
    return float(np.mean(scores))


class Denoiser:
    """The network as ``denoise(y, sigma) -> x_hat``, for pictures of any size.

    Attributes
    ----------
    colours : int
        1 for a network of grey pictures, which works on each channel of a colour picture alone; 3 for one of colours.
    """

    def __init__(self, networks):
        self.network = networks["denoiser"]
        self.colours = self.network.output_shape[-1]
        self._run = tf.function(lambda y: self.network(y, training=False),
                                input_signature=[tf.TensorSpec([None, None, None, self.colours + 1], tf.float32)])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        return cls({"denoiser": build(**recipe.options.get("network", {}))})

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"denoiser": self.network}

    def __call__(self, y, sigma, tile=TILE):
        """Return y without its noise.

        Parameters
        ----------
        y : array (H, W) or (H, W, C)
            Any finite values. A network of grey pictures works on each channel alone, one of colours expects three.
        sigma : float
            Noise level in image units. The network was trained for 0 to 55/255.
        tile : int
            Pictures with a longer side are worked on in tiles of this side, a multiple of 8, which overlap so far
            that no seam arises; memory then does not grow with the picture.

        Raises
        ------
        ValueError
            If a network of colours is given a grey picture; and for a sigma or a tile out of range.
        """
        y = validation.array(y, "y", ranks=(2, 3))
        sigma = validation.sigma(sigma)
        tile = validation.integer(tile, "tile", low=STRIDE)
        if tile % STRIDE:
            raise ValueError(f"tile must be a multiple of {STRIDE}, but {tile} came")
        if self.colours == 1:
            planes = y[..., None] if y.ndim == 2 else y
            x = [self._channels(planes[..., c : c + 1], sigma, tile) for c in range(planes.shape[2])]
            return np.concatenate(x, axis=-1).reshape(y.shape)
        if y.shape[2:] != (self.colours,):
            raise ValueError(f"y must be a colour picture (H, W, 3), but its shape is {y.shape}: "
                             'pretrained.load("denoiser") is for grey ones')
        return self._channels(y, sigma, tile)

    def _channels(self, y, sigma, tile):
        margins = [*((0, -side % STRIDE) for side in y.shape[:2]), (0, 0)]
        padded = np.pad(y, margins, mode="symmetric").astype(np.float32)
        x = np.empty_like(padded)
        for top in range(0, padded.shape[0], tile):
            for left in range(0, padded.shape[1], tile):
                x[top : top + tile, left : left + tile] = self._tile(padded, sigma, top, left, tile)
        return x[: y.shape[0], : y.shape[1]].astype(y.dtype)

    def _tile(self, y, sigma, top, left, tile):
        above, before = min(top, REACH), min(left, REACH)
        y = y[top - above : top + tile + REACH, left - before : left + tile + REACH]
        x = self._run(np.concatenate([y, np.full_like(y[..., :1], sigma)], axis=-1)[None]).numpy()[0]
        return x[above : above + tile, before : before + tile]
