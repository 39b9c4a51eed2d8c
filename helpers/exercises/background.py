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


def left_over(answer):
    """Derive: the expected squared error of the Wiener filter at each frequency."""
    transfer = np.array([1.0, 0.6 - 0.3j, 0.2 + 0.1j, -0.5, 0.0])
    spectrum, noise = np.array([90.0, 30.0, 8.0, 2.0, 0.5]), 3.0
    value = array(call(answer, transfer, spectrum, noise), transfer.shape, "the error")
    power = np.abs(transfer) ** 2
    D = power * spectrum + noise
    lost, let_in = noise**2 * spectrum / D**2, power * spectrum**2 * noise / D**2
    if close(value, lost + let_in, 1e-6):
        return ("S N sigma^2 over |H|^2 S + N sigma^2: smaller than S, and smaller than the noise after an exact "
                "inverse. No filter that multiplies frequencies does better on average.")
    if close(value, lost, 1e-6):
        raise Mistake("This is the picture that the filter loses.", "Add the noise that it lets in, |G|² N σ².")
    if close(value, let_in, 1e-6):
        raise Mistake("This is the noise that the filter lets in.", "Add the picture that it loses, |G H - 1|² S.")
    if close(value, power * spectrum * noise / D, 1e-6):
        raise Mistake("This is the left-over of the *blurred* picture: |H|² stands on top once too often.",
                      "The error is measured against X, not against H X. Where H = 0, all of S is lost.")
    if close(value, spectrum * noise / (np.abs(transfer) * spectrum + noise), 1e-6):
        raise Mistake("In the denominator H stands squared.", "np.abs(transfer) ** 2")
    if close(value, spectrum / D, 1e-6) or close(value, noise / D, 1e-6):
        raise Mistake("A factor is missing on top: the left-over has the unit of S.",
                      "Both S and N σ² stand in the numerator.")
    raise Mistake("This is not the expected squared error.",
                  "With D = |H|² S + N σ²: ((N σ²)² S + |H|² S² N σ²) / D². Then cancel one D.")
