"""Plug-and-play as a network: a few steps of half-quadratic splitting, one after the other, in one graph.

What ``helpers.restoration.plug_and_play`` does in a loop stands here as layers, and the gradient finds its way back
through all of them: through the data steps, which are divisions in the Fourier domain, and through the denoiser, which
stays as it is. What is learned is the schedule, two numbers a step (Zhang, Van Gool and Timofte 2020, arXiv:2003.10428,
let a network choose such numbers).
"""

import keras
import numpy as np
import tensorflow as tf

from helpers.restoration.linear import circular_transfer


class Splitting(keras.Model):
    """Steps of half-quadratic splitting: (y, first guess), each (N, H, W, 1), to the picture (N, H, W, 1).

    In step k, with a_k the noise that it allows and t_k how much the denoiser counts,

        x <- argmin |A x - y|² / sigma² + t_k |x - z|² / a_k²,    z <- denoise(x, a_k),

    and a last data step, with the numbers of the last one, ends the run.

    Parameters
    ----------
    operator : Blur with a circular border
    sigma : float above 0
        The noise level of y.
    denoiser : keras.Model
        (N, H, W, 2), the picture and the noise level, to (N, H, W, 1); it is not trained.
    schedule : array (K, 2)
        Where training begins: a_k and t_k.
    shape : (H, W)
        Both sides multiples of 8, as the denoiser needs them.
    """

    def __init__(self, operator, sigma, denoiser, schedule, shape):
        super().__init__()
        transfer = circular_transfer(operator, shape)
        if transfer is None:
            raise ValueError("operator must have a circular border, so that a data step is a division")
        self.back, self.gain = (tf.constant(part[None], tf.complex64) for part in (transfer.conj(), abs(transfer) ** 2))
        self.sigma, self.denoiser = sigma, denoiser
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
        waves = self.back * tf.signal.rfft2d(y[..., 0])
        for k in range(self.logarithms.shape[0]):
            allowed, trust = tf.unstack(tf.exp(self.logarithms[k]))
            weight = tf.complex(trust * self.sigma**2 / allowed**2, 0.0)
            x = self._obey(waves, x, weight)
            x = self.denoiser(tf.concat([x, tf.fill(tf.shape(x), allowed)], -1), training=False)
        return self._obey(waves, x, weight)

    def _obey(self, waves, z, weight):
        x = (waves + weight * tf.signal.rfft2d(z[..., 0])) / (self.gain + weight)
        return tf.signal.irfft2d(x)[..., None]
