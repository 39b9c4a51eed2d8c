"""Exercises of the page "Say what you believe: four priors, one sentence"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number


def doubled(answer):
    """Understand: by which factor does the weight grow when the noise level doubles?"""
    factor = number(answer, "the factor")
    if close(factor, 4, 0.01):
        return "The prior owns the quotient of weight and σ², so a doubled σ needs four times the weight."
    if close(factor, 2, 0.01):
        raise Mistake("The weight does not grow like σ itself.", "Which power of σ stands under λ in the prior?")
    if close(factor, 0.25, 0.01) or close(factor, 0.5, 0.01):
        raise Mistake("More noise should make you trust the measurement less, and this weight trusts it more.",
                      "The quotient λ / σ² must stay what it is. What happens to λ when σ² grows?")
    if close(factor, 1, 0.01):
        raise Mistake("The prior stays the same, but the weight is not the prior alone.",
                      "The prior fixes λ / σ², not λ.")
    raise Mistake(f"{factor:g} is not the factor.", "Keep λ / σ² as it is while σ becomes 2σ.")


def kernel(answer):
    """Change: store Tikhonov's restorer as a small kernel with its peak in the middle."""
    blur = np.zeros((20, 24))
    blur[:3, :4] = [[4, 3, 1, 0], [2, 1, 0, 0], [1, 0, 0, 1]]  # lopsided, so that a missing bar shows
    H = np.fft.fft2(blur / blur.sum())
    bends = [4 * np.sin(np.pi * np.fft.fftfreq(size)) ** 2 for size in blur.shape]
    r = bends[0][:, None] + bends[1][None, :]
    weight, half = 0.02, 3
    value = call(answer, H, r, weight, half)
    if np.shape(value) == blur.shape:
        raise Mistake("This is the kernel at its full size.", "Cut out the middle 2 · half + 1 rows and columns.")
    if np.shape(value) == (2 * half, 2 * half):
        raise Mistake("The kernel has an even size, so its peak has no middle to sit in.",
                      "From -half to +half there are 2 · half + 1 places.")
    found = array(value, (2 * half + 1, 2 * half + 1), "the kernel")

    def crop(factors, shift=half):
        whole = np.fft.ifft2(factors).real
        return np.roll(whole, (shift, shift), axis=(0, 1))[: 2 * half + 1, : 2 * half + 1]

    right = np.conj(H) / (np.abs(H) ** 2 + weight * r)
    if close(found, crop(right), 1e-6):
        return "A small picture of numbers holds the whole restorer. To train a convolution is to find such numbers."
    if close(found, crop(right, shift=0), 1e-6):
        raise Mistake("The peak sits in the corner, and most of the kernel is cut away.",
                      "np.roll by half in both directions moves place (0, 0) to the middle.")
    if close(found, crop(H / (np.abs(H) ** 2 + weight * r)), 1e-6):
        raise Mistake("The bar over H is missing: this kernel blurs the wrong way round.",
                      "Use np.conj(H) in the numerator.")
    if close(found, crop(np.conj(H) / (np.abs(H) ** 2 + weight)), 1e-6):
        raise Mistake("The weight punishes all waves alike, even the mean brightness.",
                      "Multiply the weight by the roughness r.")
    if close(found, crop(H), 1e-6):
        raise Mistake("This is the kernel of the blur, not of its restorer.",
                      "Transform the factor of the formula back, the fraction.")
    raise Mistake("These are not the numbers of the restorer.",
                  "Transform conj(H) / (|H|² + weight · r) back, roll it by half, and cut.")


def shrink(answer):
    """Stretch: the proximal step of the sum of absolute values is soft thresholding."""
    v = np.array([[-2.0, -0.6, -0.2], [0.0, 0.3, 0.9], [0.5, -0.5, 3.0]])
    weight = 0.5
    found = array(call(answer, v, weight), v.shape, "the answer")
    size = np.abs(v)
    if close(found, np.sign(v) * np.maximum(size - weight, 0), 1e-6):
        return ("Soft thresholding. Applied to the wavelet coefficients of a noisy photograph, these few characters "
                "denoise it.")
    if close(found, np.where(size > weight, v, 0), 1e-6):
        raise Mistake("Large numbers come through untouched: this is hard thresholding, the step of another penalty.",
                      "Where the answer is positive, x - v + λ must vanish. So how far is x from v?")
    if close(found, np.sign(v) * (size - weight), 1e-6):
        raise Mistake("Small numbers change their sign.",
                      "If neither sign is possible, the answer sits in the kink at zero.")
    if close(found, np.maximum(v - weight, 0), 1e-6) or close(found, np.maximum(size - weight, 0), 1e-6):
        raise Mistake("Negative numbers lose their sign.", "Shrink the absolute value, then give the sign back.")
    if close(found, v / (1 + weight), 1e-6) or close(found, v / (1 + 2 * weight), 1e-6):
        raise Mistake("Every number shrinks by the same share: that is the step of a squared penalty.",
                      "The derivative of λ |x| is ± λ, whatever the size of x.")
    raise Mistake("This is not the minimum.",
                  "Try one number, say v = 2 and λ = 0.5, and look for the x with the least cost.")
