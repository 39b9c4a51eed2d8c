"""One block of a transformer (Vaswani et al. 2017, arXiv:1706.03762), from matrix products.

Vectors at several places look at each other (attention), then each is changed on its own (two dense layers). What is
found is added to what was there. Both halves first bring each vector to mean 0 and standard deviation 1 ("pre-norm").
"""

import keras
import tensorflow as tf
from keras import layers


def normal(h, scale, shift):
    """Return vectors (..., d) at mean 0 and standard deviation 1, scaled and shifted."""
    h = h - tf.reduce_mean(h, axis=-1, keepdims=True)
    size = tf.math.rsqrt(tf.reduce_mean(tf.square(h), axis=-1, keepdims=True) + tf.cast(1e-5, h.dtype))
    return h * size * scale + shift


def attend(q, k, v, mask=None):
    """Return softmax(q kᵀ / √d) v for q (..., T, d), k and v (..., S, d); ``mask`` (T, S) is true where T may look at
    S."""
    scores = tf.matmul(q, k, transpose_b=True) * tf.cast(q.shape[-1] ** -0.5, q.dtype)
    if mask is not None:
        scores += tf.cast(tf.where(mask, 0.0, -1e4), scores.dtype)
    return tf.matmul(tf.nn.softmax(scores), v)


def dense(h, weights, bias):
    """Return h (..., d) times weights (d, k) plus bias (k,): one product of two matrices, whatever the rank of h."""
    flat = tf.nn.bias_add(tf.matmul(tf.reshape(h, [-1, h.shape[-1]]), weights), bias)
    return tf.reshape(flat, tf.concat([tf.shape(h)[:-1], [bias.shape[0]]], axis=0))


class Block(layers.Layer):
    """Attention and two dense layers; ``causal``: no place looks at later ones.

    Weights by name: ``see`` (d, 3 d) makes queries, keys and values, ``join`` (d, d) joins the heads, ``widen``
    (d, 4 d) and ``narrow`` (4 d, d) are the dense layers, with biases ``…_bias``; ``scale`` and ``shift`` (2, d) are
    those of the two normalisations.
    """

    def __init__(self, heads, causal=True, depth=1, **options):
        super().__init__(**options)
        self.heads, self.causal, self.depth = heads, causal, depth

    def build(self, shape):
        """Make the weights; what is added to h begins the smaller the more blocks there are."""
        d = shape[-1]
        small = keras.initializers.RandomNormal(0.6 * (2 * self.depth * d) ** -0.5)
        sizes = {"see": (d, 3 * d, "glorot_uniform"), "join": (d, d, small), "widen": (d, 4 * d, "glorot_uniform"),
                 "narrow": (4 * d, d, small)}
        for name, (inward, outward, how) in sizes.items():
            setattr(self, name, self.add_weight(shape=(inward, outward), initializer=how, name=name))
            setattr(self, f"{name}_bias", self.add_weight(shape=(outward,), initializer="zeros", name=f"{name}_bias"))
        self.scale = self.add_weight(shape=(2, d), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(2, d), initializer="zeros", name="shift")

    def call(self, h):
        """Return h (N, T, d) after this block."""
        return self.look(h, None)[0]

    def look(self, h, past):
        """Return h (N, T, d) after this block, and keys and values (2, N, heads, S + T, d / heads) of all places.

        ``past`` holds those of S places before, which so need not be computed again; without it S is 0.
        """
        n, t, d = tf.shape(h)[0], tf.shape(h)[1], h.shape[-1]
        seen = dense(normal(h, self.scale[0], self.shift[0]), self.see, self.see_bias)
        q, k, v = tf.unstack(tf.transpose(tf.reshape(seen, [n, t, 3, self.heads, d // self.heads]), [2, 0, 3, 1, 4]))
        if past is not None:
            k, v = (tf.concat([past[i], new], axis=2) for i, new in enumerate((k, v)))
        mask = None
        if self.causal:
            s = tf.shape(k)[2]
            mask = tf.range(s) <= tf.range(s - t, s)[:, None]
        found = tf.reshape(tf.transpose(attend(q, k, v, mask), [0, 2, 1, 3]), [n, t, d])
        h += dense(found, self.join, self.join_bias)
        wide = tf.nn.relu(dense(normal(h, self.scale[1], self.shift[1]), self.widen, self.widen_bias))
        return h + dense(wide, self.narrow, self.narrow_bias), tf.stack([k, v])

    def weights_by_name(self):
        """Return the weights as NumPy arrays, by name."""
        return {variable.path.rsplit("/", 1)[-1]: variable.numpy() for variable in self.weights}
