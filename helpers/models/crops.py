"""Crops of colour photographs, from which networks that change photographs learn."""

import numpy as np
import tensorflow as tf

from helpers.images import photos
from helpers.images.folder import Photographs, cut
from helpers.training import split


class Crops:
    """Crops of half the side ``patch`` from photographs: of the shipped ``train`` ones, or of ``pictures``."""

    def __init__(self, patch, pictures=None):
        self.patch = patch
        if pictures is None:
            pictures = photos("train", size=None, color=True).values()
        if not isinstance(pictures, Photographs):
            pictures = [np.rint(255 * picture).astype(np.uint8) for picture in pictures]
            smallest = min(min(picture.shape[:2]) for picture in pictures)
            if smallest < patch:
                raise ValueError(f"photos: the smallest side is {smallest} pixels, but patches have {patch}")
        self.pictures = pictures

    def draw(self, seed, batch):
        """Return crops (batch, side, side, 3): whole patches at half their size, or the middle of them as they are."""
        seeds = split(seed, 4)
        count = self.pictures.window if isinstance(self.pictures, Photographs) else len(self.pictures)
        which = tf.random.stateless_uniform([batch], seeds[0], 0, count, tf.int32)
        place = tf.random.stateless_uniform([batch, 2], seeds[1])
        x = tf.numpy_function(self._patches, [seed[1], which, place], tf.uint8)
        x = tf.cast(tf.ensure_shape(x, [batch, self.patch, self.patch, 3]), tf.float32) / 255
        edge = self.patch // 4
        x = tf.cond(tf.random.stateless_uniform([], seeds[2]) < 0.5, lambda: tf.nn.avg_pool2d(x, 2, 2, "VALID"),
                    lambda: x[:, edge : self.patch - edge, edge : self.patch - edge])
        return tf.cond(tf.random.stateless_uniform([], seeds[3]) < 0.5, lambda: tf.reverse(x, [2]), lambda: x)

    def _patches(self, step, which, place):
        if isinstance(self.pictures, Photographs):
            return self.pictures.patches(step, which, place)
        return np.stack([cut(self.pictures[one], where, self.patch) for one, where in zip(which, place, strict=True)])
