"""Exercises of the page "Trace seventy years of restoration"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photo, photos
from helpers.metrics import psnr
from helpers.operators import Blur, measure


def one_frequency(answer):
    """Understand: the Wiener gain at one frequency."""
    gain = number(answer, "the gain")
    if close(gain, 1.5, 0.005):
        return "A gain of 1.5: three quarters of the exact inverse, which is 2. The rest is the price of the noise."
    if close(gain, 2, 0.005):
        raise Mistake("2 is the exact inverse 1/H, which forgets the noise.",
                      "The denominator has a second term, the noise power.")
    if close(gain, 6 / 7, 0.005):
        raise Mistake("In the denominator H stands squared.", "|H|² is 0.25.")
    if close(gain, 12 / 13, 0.005):
        raise Mistake("This is the gain without any blur, H = 1.", "Put H = 0.5 into both places.")
    if close(gain, 3, 0.005):
        raise Mistake("The numerator has H once, not squared.", "Its value is 0.5 · 12, before dividing by 4.")
    raise Mistake(f"{gain:.3g} is not the gain.", "Put H = 0.5 and the ratio 12 into H · 12 / (H² · 12 + 1).")


def forget_the_lens(answer):
    """Change: what does knowing the blur bring?"""
    loss = number(answer, "the loss in decibels")
    x, sigma, blur = photo("camera"), 10 / 255, Blur.gaussian(1.5)
    y = measure(x, blur, sigma, np.random.default_rng(0))
    spectrum = np.mean([np.abs(np.fft.rfft2(picture)) ** 2 for picture in photos("train").values()], axis=0)
    told, blind = (
        psnr(x, _wiener(y, operator.transfer_function(x.shape), spectrum, sigma))
        for operator in (blur, Blur(np.ones((1, 1))))
    )
    if abs(loss - (told - blind)) < 0.02:
        return f"The lens is worth {told - blind:.2f} dB: and no prior about pictures was needed for it."
    if abs(loss - (blind - told)) < 0.02:
        raise Mistake("The size is right, the sign is not: a loss is positive here.",
                      "Subtract the blind result from the informed one.")
    if abs(loss - (told - psnr(x, y))) < 0.02:
        raise Mistake("This compares with the damaged photograph.",
                      "Run the filter a second time with H = 1, and compare the two restorations.")
    if abs(loss - blind) < 0.02:
        raise Mistake("This is the PSNR of the blind filter itself.", "Subtract it from the PSNR of x_wiener.")
    raise Mistake(f"{loss:.2f} dB is not the loss.",
                  "wiener(y_blurred, no_blur.transfer_function(x.shape), spectrum, sigma_blurred), then two PSNRs.")


def _wiener(y, transfer, spectrum, sigma):
    gain = transfer.conj() * spectrum / (np.abs(transfer) ** 2 * spectrum + y.size * sigma**2)
    return np.fft.irfft2(gain * np.fft.rfft2(y), s=y.shape)


def soft_threshold(answer):
    """Stretch: the soft threshold of wavelet shrinkage."""
    coefficients = np.array([-3.0, -1.0, -0.4, 0.0, 0.2, 0.9, 2.5])
    t = 0.8
    size = np.abs(coefficients)
    shrunk = array(call(answer, coefficients, t), coefficients.shape, "the result")
    if close(shrunk, np.sign(coefficients) * np.maximum(size - t, 0)):
        return "Small coefficients are gone and large ones moved: one line, and the heart of wavelet shrinkage."
    if close(shrunk, np.where(size > t, coefficients, 0)):
        raise Mistake("This is the *hard* threshold: large coefficients stay where they are.",
                      "Move them towards zero by t as well.")
    if close(shrunk, np.maximum(size - t, 0)):
        raise Mistake("The signs are lost: -3 should become -2.2.", "Multiply by np.sign(coefficients).")
    if close(shrunk, np.sign(coefficients) * (size - t)):
        raise Mistake("Small coefficients have crossed zero and changed their sign.",
                      "A size never falls below zero: np.maximum(..., 0).")
    if close(shrunk, np.maximum(coefficients - t, 0)):
        raise Mistake("All negative coefficients have become zero.", "Shrink the size, then give back the sign.")
    raise Mistake("This is not the soft threshold.", "sign · max(size - t, 0)")
