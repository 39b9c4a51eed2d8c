"""Exercises of the page "See what a blur does to waves"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number
from helpers.images import photo
from helpers.metrics import psnr
from helpers.operators import Blur


def alias(answer):
    """Understand: the frequency that a coarse grid shows for a fast wave."""
    frequency = number(answer, "the frequency")
    if close(frequency, 0.1, 1e-6):
        return "0.9 cycles per new pixel look like −0.1: slow stripes that were never there."
    if close(frequency, 0.9, 1e-6):
        raise Mistake("0.9 cycles per new pixel is right, but no grid shows a frequency above 0.5.",
                      "Which slower wave has the same values at whole positions?")
    if close(frequency, -0.1, 1e-6):
        raise Mistake("The size is right; asked is the frequency between 0 and 0.5.", "A cosine of −f is one of f.")
    if close(frequency, 0.225, 1e-6):
        raise Mistake("A new pixel is longer than an old one, so it holds more cycles and not fewer.", "Double 0.45.")
    if close(frequency, 0.05, 1e-6):
        raise Mistake("This is the distance to 0.5 in cycles per old pixel.", "Count in new pixels: each is two old.")
    if close(frequency, 0.45, 1e-6):
        raise Mistake("This counts per old pixel.", "How many cycles does a new pixel, twice as long, hold?")
    raise Mistake(f"{frequency:.4g} is not what the grid shows.", "Double 0.45, then take whole cycles away.")


def one_per_cent(answer):
    """Derive: the frequency at which a Gaussian blur leaves one per cent."""
    for s in (0.8, 1.6, 3.0):
        frequency = number(call(answer, s), "the frequency")
        right = np.sqrt(np.log(100) / 2) / (np.pi * s)
        if close(frequency, right, 1e-3):
            continue
        if close(frequency, np.sqrt(np.log(10) / 2) / (np.pi * s), 1e-3):
            raise Mistake("At this frequency a tenth is left.", "One per cent is 0.01, so ln 100 appears.")
        if close(frequency, np.sqrt(np.log(100)) / (np.pi * s), 1e-3):
            raise Mistake("A factor is missing under the root.", "The exponent is 2 π² s² f²: divide by 2 as well.")
        if close(frequency, np.sqrt(np.log(100) / 2) * s / np.pi, 1e-3):
            raise Mistake("A wider blur must lose slower waves already.", "s stands in the denominator.")
        if close(frequency, right**2, 1e-3):
            raise Mistake("This is f squared.", "Take the root at the end.")
        raise Mistake(f"For s = {s} your formula gives {frequency:.4g}, where exp(−2 π² s² f²) is "
                      f"{np.exp(-2 * np.pi**2 * s**2 * frequency**2):.3g}.", "Set it to 0.01 and solve for f.")
    return "The limit moves inwards as 1 / s: a blur twice as wide loses waves that are twice as slow."


def moves(answer):
    """Repair: a blur by waves that shifts the picture."""
    x = photo("camera", size=48).astype(float)
    for blur in (Blur.gaussian(1.5), Blur(np.outer([1.0, 2, 4, 2, 1], [1.0, 3, 1]) / 50)):
        got = array(call(answer, x, blur.kernel), x.shape, "the blurred picture")
        rows, columns = (side // 2 for side in blur.kernel.shape)
        if close(got, blur.forward(x), 1e-6):
            continue
        if close(got, np.roll(blur.forward(x), (rows, columns), axis=(0, 1)), 1e-6):
            raise Mistake("The picture still lies too far down and to the right.",
                          "Roll the placed kernel until its centre is at the pixel (0, 0).")
        if close(got, np.roll(blur.forward(x), (2 * rows, 2 * columns), axis=(0, 1)), 1e-6):
            raise Mistake("Now it lies twice as far away.", "Roll the other way: by minus half the kernel's size.")
        if close(got, blur.adjoint(blur.forward(x)), 1e-6):
            raise Mistake("This blurs twice.", "Only the place of the kernel was wrong.")
        raise Mistake(f"The result differs from the blur, for a kernel of shape {blur.kernel.shape}.",
                      "Both sides of the kernel count: roll each axis by its own half.")
    return "A kernel's centre belongs at the origin of the grid: half of every bug in deconvolution is this shift."


def shift(answer):
    """Change: what it costs to keep the corner of each square."""
    from skimage.transform import resize

    x, cost = photo("camera").astype(float), number(answer, "the cost")

    f = np.fft.fftfreq(len(x))
    moved = np.fft.ifft2(np.fft.fft2(x) * np.exp(-1j * np.pi * (f[:, None] + f))).real  # by half a pixel
    middles, corners = moved[2::4, 2::4], x[::4, ::4]

    def enlarged(points, order=1):
        large = resize(points, x.shape, order=order, mode="edge", anti_aliasing=False)
        return psnr(x, np.clip(large, 0, 1))

    right = enlarged(middles) - enlarged(corners)
    if abs(cost - right) < 0.005:
        return "More than two decibels for one and a half pixels: before comparing two rules, centre both."
    if abs(cost + right) < 0.005:
        raise Mistake("The size is right, and a cost is positive.", "Subtract the lower PSNR from the higher one.")
    if abs(cost - enlarged(corners)) < 0.005:
        raise Mistake("This is the PSNR of the corners, not what they cost.", "Subtract it from the page's score.")
    if any(abs(cost - enlarged(middles, order) + enlarged(corners, order)) < 0.005 for order in (0, 3)):
        raise Mistake("This is the cost with another rule.", "order=1 draws straight lines.")
    raise Mistake(f"{cost:.2f} dB is not what this gives.",
                  "resize(x[::4, ::4], x.shape, order=1, mode=\"edge\", anti_aliasing=False), clipped, then psnr.")


def reduce(answer):
    """Stretch: halve a picture without any alias."""
    x = photo("camera", size=64).astype(float)
    got = array(call(answer, x), (32, 32), "the reduced picture")
    f = abs(np.fft.fftfreq(64))
    if close(got, _kept(x, f < 0.25), 1e-6):
        return "Every wave that is left comes out as itself. The ripples beside edges are the price of the sharp limit."
    if close(got, x[::2, ::2], 1e-6):
        raise Mistake("This only keeps every second pixel, aliases and all.", "First set the fast waves to zero.")
    if close(got, _kept(x, f <= 0.25), 1e-6):
        raise Mistake("The wave of exactly 0.25 is still there, and its alias has the same frequency.", "Use < 0.25.")
    if close(got, _kept(x, f < 0.5), 1e-6):
        raise Mistake("Waves between 0.25 and 0.5 are still there.", "The new grid holds half as many cycles.")
    if close(got, _kept(x, f < 0.25) / 4, 1e-6) or close(got, 4 * _kept(x, f < 0.25), 1e-6):
        raise Mistake("The brightness is off by a factor of four.", "np.fft.ifft2 divides already; add no factor.")
    round_limit = np.hypot(f[:, None], f[None, :]) < 0.25
    if close(got, np.fft.ifft2(np.fft.fft2(x) * round_limit).real[::2, ::2], 1e-6):
        raise Mistake("A round limit throws away corners that the new grid could hold.",
                      "Ask of each direction alone that it stay below 0.25.")
    raise Mistake("The result still differs from that of the ideal filter.",
                  "Transform, set to zero where either frequency is 0.25 or more, transform back, keep every second.")


def _kept(x, slow):
    return np.fft.ifft2(np.fft.fft2(x) * np.outer(slow, slow)).real[::2, ::2]


def judge(answer):
    """Judge: broad false bands, or an honest grey?"""
    taken = choice(answer, "abcd", "the judgement")
    if taken == "b":
        return "Less, and nothing false: for evidence that is the better picture."
    raise {"a": Mistake("It shows stripes, but not those of the shirt: their distance and direction are false.",
                        "Could you say from the bands how fine the true stripes were?"),
           "c": Mistake("Both lost the fine stripes, but one of them shows something else in their place.",
                        "Where do the broad bands come from?"),
           "d": Mistake("A rule of enlarging sees only the samples, and in them the bands are real.",
                        "What was confused at sampling stays confused.")}[taken]
