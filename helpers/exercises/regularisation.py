"""Exercises of the page "Say what you believe: four priors, one sentence"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number, pair
from helpers.images import photos
from helpers.metrics import bootstrap_interval, psnr
from helpers.operators import Blur, Mask, measure


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


def report(answer):
    """Repair: a report whose weight was chosen on the pictures that judge."""
    rng = np.random.default_rng(8)
    pictures = [x.astype(np.float64) for split in ("train", "test") for x in photos(split, size=24).values()][:10]
    levels = [0.05] * 5 + [0.22, 0.24, 0.26, 0.28, 0.30]
    pairs = [(x, x + level * rng.standard_normal(x.shape)) for x, level in zip(pictures, levels, strict=True)]
    train, test = pairs[:5], pairs[5:]
    weights = [0.0, 0.3, 0.6, 0.9]

    def method(y, weight):  # towards the mean of the picture
        return (1 - weight) * y + weight * np.mean(y)

    scores = {name: np.array([[psnr(x, method(y, weight)) for weight in weights] for x, y in some])
              for name, some in {"train": train, "test": test}.items()}
    best = {name: int(table.mean(axis=0).argmax()) for name, table in scores.items()}
    found = number(call(answer, method, weights, train, test), "the report")
    if abs(found - scores["test"][:, best["train"]].mean()) < 1e-6:
        return "Chosen on one set, judged on another: lower, and true."
    if abs(found - scores["test"].max(axis=1).mean()) < 1e-6:
        raise Mistake("Each test picture still gets the weight that its truth likes best.",
                      "One weight for all, chosen without them.")
    if abs(found - scores["test"].mean(axis=0).max()) < 1e-6:
        raise Mistake("There is one weight for all now, and the test pictures have chosen it.",
                      "Let `train` choose; `test` only judges.")
    if abs(found - scores["train"].mean(axis=0).max()) < 1e-6:
        raise Mistake("This is the score on the pictures that chose the weight.", "Report the mean over `test`.")
    if abs(found - weights[best["train"]]) < 1e-6:
        raise Mistake("This is the chosen weight.", "Report the mean PSNR that it reaches on `test`.")
    if abs(found - np.mean([scores["test"][:, row.argmax()].mean() for row in scores["train"]])) < 1e-6:
        raise Mistake("Each training picture votes for a weight of its own.", "Choose the weight with the best mean.")
    raise Mistake("This is not the honest mean.",
                  "The weight with the largest mean PSNR on `train`; then its mean PSNR on `test`.")


def huber(answer):
    """Derive: the proximal step of Huber's function."""
    v = np.array([[-3.0, -0.9, -0.3], [0.0, 0.2, 0.7], [0.85, 1.6, 4.0]])
    for weight, delta in ((0.5, 0.4), (0.2, 1.0)):
        found = array(call(answer, v, weight, delta), v.shape, "the answer")
        inside, outside = v * delta / (delta + weight), v - weight * np.sign(v)
        if close(found, np.where(np.abs(v) <= delta + weight, inside, outside), 1e-6):
            continue
        if close(found, np.where(np.abs(v) <= delta, inside, outside), 1e-6):
            raise Mistake("The two cases meet in the wrong place: between δ and δ + λ the answer jumps.",
                          "It is x that must be at most δ, and not v.")
        if close(found, np.sign(v) * np.maximum(np.abs(v) - weight, 0), 1e-6):
            raise Mistake("This is the step of the absolute value: small numbers become zero.",
                          "Huber's function has no kink at zero, so nothing need be exactly zero.")
        if close(found, inside, 1e-6):
            raise Mistake("This is the step of the parabola, also where the function is a line.",
                          "For large v the derivative of λ h is λ, and no more.")
        if close(found, np.where(np.abs(v) <= delta + weight, v / (1 + weight), outside), 1e-6):
            raise Mistake("The width δ is missing inside.", "There x - v + λ x / δ = 0.")
        if close(found, np.where(np.abs(v) <= delta + weight, inside, v - weight), 1e-6):
            raise Mistake("Negative numbers move away from zero.", "To the left of -δ the derivative of h is -1.")
        raise Mistake(f"For λ = {weight} and δ = {delta} this is not the minimum.",
                      "Try one number: v = 4 must lose λ, and a small v shrinks to v δ / (δ + λ).")
    return "Small differences are averaged away as by squares, and an edge loses only its λ, as by absolute values."


def prior(answer):
    """Project: a denoiser as a prior, against total variation, and under a second damage."""
    denoise, claimed = pair(answer, "your denoiser and its interval")
    claimed = array(claimed, (2,), "the interval")
    blurred = _gains(denoise, "blur")
    right = np.array(bootstrap_interval(blurred)[1:])
    allowed = 0.02 + 0.12 * np.ptp(right)
    if np.abs(claimed - right).max() > allowed:
        if np.abs(claimed + right[::-1]).max() <= allowed:
            raise Mistake("The sign is reversed.", "A gain is the PSNR of your method minus that of total variation.")
        if np.abs(claimed - [blurred.min(), blurred.max()]).max() <= allowed:
            raise Mistake("This is the range of the eight gains, and not how sure their mean is.",
                          "bootstrap_interval of the eight gains.")
        raise Mistake(f"We repeat your experiment and find {right[0]:+.2f} to {right[1]:+.2f} dB; the claim says "
                      f"{claimed[0]:+.2f} to {claimed[1]:+.2f}.",
                      "Eight photographs of size 96, seeds 0 to 7, plug_and_play with iterations=8.")
    halves = _gains(denoise, "half")
    if blurred.mean() < -6 or halves.mean() < -6:
        raise Mistake(f"The claim can be repeated, and as a prior this does not restore: {blurred.mean():+.1f} dB "
                      f"against total variation on the blur, {halves.mean():+.1f} dB where half the pixels are lost.",
                      "A denoiser must take noise off and leave pictures as they are. Does yours do both?")
    worst = list(photos("test"))[int(np.argmin(blurred))]
    return (f"The claim can be repeated; the worst photograph is {worst} ({blurred.min():+.1f} dB). With half of the "
            f"pixels lost and the same prior the mean gain is {halves.mean():+.2f} dB: tell both.")


def _gains(denoise, damage):
    """Return the gains in decibels over total variation on eight test photographs."""
    from helpers.restoration import plug_and_play

    def checked(v, sigma):
        return array(call(denoise, v, sigma, seconds=30), v.shape, "the denoised picture")

    gains = []
    for i, x in enumerate(photos("test", size=96).values()):
        y, operator, sigma, usual = _reference(damage, i)
        x_hat = plug_and_play(y, operator, sigma, denoiser=checked, iterations=8)
        gains.append(psnr(x, np.clip(x_hat, 0, 1)) - usual)
    return np.array(gains)


@functools.cache
def _reference(damage, i):
    from helpers.restoration import total_variation

    x = list(photos("test", size=96).values())[i]
    operator, sigma = {"blur": (Blur.gaussian(1.6), 0.01),
                       "half": (Mask.random(x.shape, 0.5, np.random.default_rng(0)), 0.02)}[damage]
    y = measure(x, operator, sigma, np.random.default_rng(i))
    return y, operator, sigma, psnr(x, total_variation(y, operator, sigma))
