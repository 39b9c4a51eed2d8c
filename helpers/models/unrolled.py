"""Plug-and-play as a network: a few steps of half-quadratic splitting, one after the other, in one graph.

What ``helpers.restoration.plug_and_play`` does in a loop stands here as layers, and the gradient finds its way back
through all of them: through the data steps, and through the denoiser, which stays as it is. What is learned is the
schedule, two numbers a step (Zhang, Van Gool and Timofte 2020, arXiv:2003.10428, let a network choose such numbers).
"""

import keras
import numpy as np
import tensorflow as tf

from helpers.restoration import ROUNDING
from helpers.restoration.linear import circular_transfer


class Splitting(keras.Model):
    """Steps of half-quadratic splitting: (y, first guess), batches with a last axis of 1, to pictures (N, H, W, 1).

    In step k, with a_k the noise that it allows and t_k how much the denoiser counts,

        x <- argmin |A x - y|² / sigma² + t_k |x - z|² / a_k²,    z <- denoise(x, a_k),

    and a last data step, with the numbers of the last one, ends the run. A data step solves
    (Aᵀ A + weight) x = Aᵀ y + weight z: by a division in the Fourier domain where the operator is circular, by
    conjugate gradients from z elsewhere.

    Parameters
    ----------
    operator : an operator of ``helpers.operators``
    sigma : float
        The noise level of y.
    denoiser : keras.Model
        (N, H, W, 2), the picture and the noise level, to (N, H, W, 1); it is not trained.
    schedule : array (K, 2)
        Where training begins: a_k and t_k.
    shape : (H, W)
        Both sides multiples of 8, as the denoiser needs them.
    inner : int
        Steps of conjugate gradients.
    """

    def __init__(self, operator, sigma, denoiser, schedule, shape, inner=10):
        super().__init__()
        transfer = circular_transfer(operator, shape)
        self.gain = None if transfer is None else tf.constant(abs(transfer[None]) ** 2, tf.float32)
        self.operator, self.noise, self.inner = operator, max(sigma, ROUNDING), inner
        self.denoiser = denoiser
        denoiser.trainable = False
        # as logarithms: a step of training then changes each number by a part of itself, and none becomes negative
        self.logarithms = self.add_weight(np.shape(schedule), name="schedule")
        self.logarithms.assign(np.log(schedule))

    @property
    def schedule(self):
        """What stands there now, (K, 2)."""
        return np.exp(self.logarithms.numpy())

    def call(self, inputs):
        """Return the restored pictures."""
        y, x = inputs
        back = self.operator.adjoint(y)
        for k in range(self.logarithms.shape[0]):
            allowed, trust = tf.unstack(tf.exp(self.logarithms[k]))
            weight = trust * self.noise**2 / allowed**2
            x = self._obey(back, x, weight)
            x = self.denoiser(tf.concat([x, tf.fill(tf.shape(x), allowed)], -1), training=False)
        return self._obey(back, x, weight)

    def _obey(self, back, z, weight):
        b = back + weight * z
        if self.gain is not None:
            waves = tf.signal.rfft2d(b[..., 0])
            return tf.signal.irfft2d(waves / tf.complex(self.gain + weight, 0.0))[..., None]

        def apply(x):
            return self.operator.adjoint(self.operator.forward(x)) + weight * x

        x, residual = z, b - apply(z)
        direction, slope = residual, _squares(residual)
        for _ in range(self.inner):
            image = apply(direction)
            length = tf.math.divide_no_nan(slope, tf.reduce_sum(direction * image, [1, 2, 3], keepdims=True))
            x, residual = x + length * direction, residual - length * image
            slope_before, slope = slope, _squares(residual)
            direction = residual + tf.math.divide_no_nan(slope, slope_before) * direction
        return x


def _squares(x):
    return tf.reduce_sum(x**2, [1, 2, 3], keepdims=True)
