"""Repaint a photograph in the style of another picture, by walking downhill on its pixels.

Gatys, Ecker and Bethge 2016 (doi:10.1109/CVPR.2016.265): content is where features are, style is which features appear
together. Here with the small network of ``helpers.models.features``, with Adam, and on a pyramid: a picture is a sum of
a fine one and of coarser ones, enlarged. Adam moves each number by about the same step, whether its slope is steep or
not; on a pyramid such a step can move a whole area (Olah et al. 2017, doi:10.23915/distill.00007, had the same thought
with Fourier coefficients).
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from helpers import pretrained, validation
from helpers.models.features import CONTENT, STYLE, colour_batch, gram

STEPS, RATE, WEIGHT = 150, 0.03, 100.0
LEVELS = {1: 0.3, 2: 1.0, 4: 1.0, 8: 1.0}  # of the pyramid: side of a number in pixels, and how large its steps are
PIXELS = {1: 1.0}  # no pyramid
MARGIN = 8  # pixels: the layers pad with grey, which is kept away from the picture by mirroring it this far
SMALLEST = 2 * MARGIN  # pixels: on less there is no style to speak of
LARGEST = 1_500_000  # pixels: walking downhill on more needs more memory than a laptop has


class Repainted(NamedTuple):
    """A picture, and the way to it."""

    x: np.ndarray  # (H, W, 3), in [0, 1]
    content: np.ndarray  # (steps,): how far the features moved from those of the photograph, relative and squared
    style: np.ndarray  # (steps,): how far the Gram matrices are from those of the picture, relative and squared


class Distances:
    """How far pictures are from the content of one photograph and from the style of one picture.

    Both are squared distances, divided by the squared size of what is wanted. So neither depends on how strongly a
    layer answers, and 1 is what a picture gets to which no feature answers. ``style`` is a mean over layers.

    Parameters
    ----------
    features : Features
    photo, picture : arrays (H, W, 3) in [0, 1]
    layers : tuple
        Whose Gram matrices are compared; the content is always that of ``CONTENT``.
    """

    def __init__(self, features, photo, picture, layers=STYLE):
        self.part = features.part((*layers, CONTENT))
        photo, picture = (tf.constant(one_picture(x, name)) for x, name in ((photo, "photo"), (picture, "picture")))
        self.grams = [gram(maps) for maps in self.part(mirror(picture))[:-1]]
        self.content = self.part(mirror(photo))[-1]

    def __call__(self, x, photos=None):
        """Return content and style distance of pictures (N, H, W, 3), each (N,).

        ``photos``, shaped like ``x``, are the photographs of these pictures, if it is not one for all of them.
        """
        *maps, content = self.part(mirror(x))
        wanted = self.content if photos is None else self.part(mirror(photos))[-1]
        moved = tf.reduce_sum((content - wanted) ** 2, [1, 2, 3]) / tf.reduce_sum(wanted**2, [1, 2, 3])
        off = [tf.reduce_sum((gram(one) - target) ** 2, [1, 2]) / tf.reduce_sum(target**2)
               for one, target in zip(maps, self.grams, strict=True)]
        return moved, tf.add_n(off) / len(off)


def mirror(x):
    """Return pictures (N, H, W, 3) with a mirrored border: (N, H + 16, W + 16, 3)."""
    return tf.pad(x, [[0, 0], [MARGIN, MARGIN], [MARGIN, MARGIN], [0, 0]], "SYMMETRIC")


def repaint(photo, picture, weight=WEIGHT, steps=STEPS, features=None, levels=LEVELS, progress=False):
    """Return a photograph repainted in the style of a picture.

    Minimises content + weight × style by Adam, from the photograph on.

    Parameters
    ----------
    photo, picture : arrays (H, W, 3) in [0, 1]
        They may differ in size. What counts as a stroke is decided by the pixels: a picture shrunk to half has finer
        ones.
    weight : float
        Above 0: 10 tints the photograph, 1000 leaves little of it.
    steps : int
    features : Features, optional
        The network whose eyes are used: by default the shipped one.
    levels : dict
        The pyramid, ``LEVELS`` or ``PIXELS``.
    progress : bool

    Raises
    ------
    ValueError
        For arrays that are no colour pictures, with a side under 16 pixels, or with more than 1.5 million pixels.
    """
    weight = validation.number(weight, "weight", low=0, open_low=True)
    distances = Distances(features or pretrained.shared("features"), photo, picture)
    start = one_picture(photo, "photo")

    def loss(x):
        content, style = distances(x)
        return content + weight * style, content, style

    return _descend(start, loss, steps, levels, progress)


def texture(picture, layers=STYLE, steps=STEPS, seed=0, features=None, progress=False):
    """Return a new picture with the style of ``picture``, shaped like it, from noise.

    ``seed`` decides the noise, and ``layers`` are those whose Gram matrices count. The rest is as for :func:`repaint`.
    """
    noise = np.random.default_rng(validation.seed(seed)).normal(0.5, 0.1, one_picture(picture, "picture").shape)
    noise = np.clip(noise, 0, 1).astype(np.float32)
    distances = Distances(features or pretrained.shared("features"), noise[0], picture, layers)

    def loss(x):
        content, style = distances(x)
        return style, content, style

    return _descend(noise, loss, steps, LEVELS, progress)


def _descend(start, loss, steps, levels, progress):
    """Minimise ``loss(x)[0]`` from ``start`` (1, H, W, 3) on; its two other numbers are noted."""
    from tqdm import trange

    steps = validation.integer(steps, "steps", low=1)
    sides, scales = list(levels), list(levels.values())
    height, width = start.shape[1:3]
    pyramid = [tf.Variable(start / scales[0]),
               *(tf.Variable(tf.zeros((1, -(-height // side), -(-width // side), 3))) for side in sides[1:])]
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps))
    optimizer.build(pyramid)  # variables that are made inside a graph have it built twice

    def whole():
        return tf.add_n([scale * tf.image.resize(level, (height, width))
                         for level, scale in zip(pyramid, scales, strict=True)])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value, content, style = loss(whole())
            value = tf.reduce_sum(value)
        optimizer.apply(tape.gradient(value, pyramid), pyramid)
        x = whole()
        pyramid[0].assign_add((tf.clip_by_value(x, 0, 1) - x) / scales[0])  # no pixel leaves [0, 1]
        return content[0], style[0]

    way = [step() for _ in trange(steps, unit="step", disable=not progress, dynamic_ncols=True)]
    return Repainted(np.clip(whole().numpy()[0], 0, 1), *np.array(way, np.float32).T)


def one_picture(x, name, largest=LARGEST):
    """Return one colour picture as a batch (1, H, W, 3); raise if it is none, too small or too large."""
    x = colour_batch(x, name)
    if len(x) != 1:
        raise ValueError(f"{name} must be one picture (H, W, 3), but its shape is {x.shape}")
    height, width = x.shape[1:3]
    if min(height, width) < SMALLEST:
        raise ValueError(f"{name} has {height} × {width} pixels, expected at least {SMALLEST} on each side")
    if height * width > largest:
        raise ValueError(f"{name} has {height} × {width} pixels, expected at most {largest:,} in all: shrink it")
    return np.clip(x, 0, 1)
