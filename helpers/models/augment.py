"""Random deformations of digits: 4,500 of them are few, and a slightly bent three is still a three."""

import tensorflow as tf

from helpers.training import split


def draw_digits(x_train, seed, count, strength=1.0):
    """Return ``count`` randomly drawn and deformed digits, shape (count, 28, 28, 1), and the indices of their
    originals."""
    seeds = split(seed, 2)
    index = tf.random.stateless_uniform([count], seeds[0], 0, len(x_train), tf.int32)
    return deform(tf.gather(x_train, index), seeds[1], strength), index


def deform(x, seed, strength=1.0):
    """Rotate, scale, shear, shift and bend each image of a batch (N, H, W, C) at random.

    At strength 1: up to 12 degrees, 12 %, 0.15 and 1.5 pixels, and a smooth field of displacements of about one pixel
    (Simard et al. 2003, doi:10.1109/ICDAR.2003.1227801).
    """
    count, height, width = tf.shape(x)[0], x.shape[1], x.shape[2]
    seeds = split(seed, 2)
    u = strength * tf.random.stateless_uniform([count, 6], seeds[0], -1.0, 1.0)
    angle, shear = 0.21 * u[:, 0], 0.15 * u[:, 1]
    stretch_y, stretch_x = 1 + 0.12 * u[:, 2], 1 + 0.12 * u[:, 3]
    rows = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2
    columns = tf.range(width, dtype=tf.float32)[None, :] - (width - 1) / 2

    def per_image(value):
        return value[:, None, None]

    cosine, sine = per_image(tf.cos(angle)), per_image(tf.sin(angle))
    row = per_image(stretch_y) * (cosine * rows + sine * columns)
    column = per_image(stretch_x) * (cosine * columns - sine * rows) + per_image(shear) * rows
    bend = strength * tf.random.stateless_normal([count, 5, 5, 2], seeds[1])
    bend = tf.image.resize(bend, (height, width), method="bicubic")
    row += per_image(1.5 * u[:, 4]) + bend[..., 0] + (height - 1) / 2
    column += per_image(1.5 * u[:, 5]) + bend[..., 1] + (width - 1) / 2
    return _sample(x, row, column)


def _sample(x, row, column):
    """Read a batch of images at fractional places, bilinearly; outside it is black."""
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    height, width = x.shape[1], x.shape[2]
    row = tf.clip_by_value(row + 1, 0.0, height - 1.001)
    column = tf.clip_by_value(column + 1, 0.0, width - 1.001)
    top, left = tf.cast(row, tf.int32), tf.cast(column, tf.int32)
    down, right = row - tf.cast(top, tf.float32), column - tf.cast(left, tf.float32)
    flat = tf.reshape(x, [tf.shape(x)[0], height * width, x.shape[3]])

    def at(i, j):
        values = tf.gather(flat, tf.reshape(i * width + j, [tf.shape(i)[0], -1]), batch_dims=1)
        return tf.reshape(values, [*tf.unstack(tf.shape(i)), x.shape[3]])

    down, right = down[..., None], right[..., None]
    above = (1 - right) * at(top, left) + right * at(top, left + 1)
    below = (1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)
    return (1 - down) * above + down * below
