"""Exercises of the page "Ask what the measurement cannot tell"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photo
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, measure


def unseen(answer):
    """Understand: how many dimensions has the null space of a four-fold downsampling?"""
    dimensions = number(answer, "the number of dimensions")
    if dimensions == 64 * 64 - 16 * 16:
        return "3,840 of 4,096: the measurement fixes one direction in sixteen, and the prior has the other fifteen."
    if dimensions == 16 * 16:
        raise Mistake("256 directions are the ones that y does fix.", "The null space is what remains.")
    if dimensions == 64 * 64 - 16:
        raise Mistake("16 pixels are averaged in each square, but there are more measured numbers than 16.",
                      "Into how many squares of 4 × 4 does a picture of 64 × 64 fall?")
    if dimensions == 15:
        raise Mistake("15 is the answer for a single square.", "How many squares are there?")
    if dimensions == 0:
        raise Mistake("The halftone and the photograph above have one y, so something is unseen.",
                      "Count the pixels, and count the measured numbers.")
    raise Mistake(f"{dimensions:g} is not the dimension of the null space.",
                  "It is the number of pixels minus the number of independent measured numbers.")


def threshold(answer):
    """Change: find the threshold below which a singular value is better not divided by."""
    chosen = number(answer, "the threshold")
    if chosen < 0:
        raise Mistake("A threshold for absolute values cannot be negative.", "Try thresholds between 0.001 and 0.5.")
    x = photo("flower", size=184).astype(np.float64)
    blur = Blur.gaussian(1.0)
    transfer = blur.transfer_function(x.shape)
    spectrum = np.fft.rfft2(measure(x, blur, 0.01, np.random.default_rng(0)))

    def score(t):
        kept = np.where(np.abs(transfer) > t, spectrum / transfer, 0)
        return psnr(x, np.clip(np.fft.irfft2(kept, s=x.shape), 0, 1))

    thresholds = np.geomspace(0.001, 0.5, 120)
    scores = np.array([score(t) for t in thresholds])
    best, reached = thresholds[scores.argmax()], score(chosen)
    if reached > scores.max() - 0.1:
        return (f"{reached:.2f} dB, where dividing by everything gives {score(0):.2f} dB. "
                "Giving up the worst waves saves the rest.")
    if chosen < best:
        raise Mistake(f"This threshold reaches {reached:.2f} dB: waves that hold only amplified noise still get in.",
                      "Try a higher threshold.")
    raise Mistake(f"This threshold reaches {reached:.2f} dB: waves that are well measured are thrown away too.",
                  "Try a lower threshold.")


def consistent(answer):
    """Stretch: the nearest picture that agrees with a measurement."""
    rng = np.random.default_rng(3)
    for factor in (2, 4):
        x, other = rng.random((2, 16, 24))
        operator = Downsample(factor)
        y = operator.forward(x)
        found = array(call(answer, other, y, factor), other.shape, "the picture")
        residual = y - operator.forward(other)
        if close(found, other + factor**2 * operator.adjoint(residual), 1e-5):
            continue
        if close(found, other + operator.adjoint(residual), 1e-5):
            raise Mistake("The residual is sent back, but too faintly: the measurement of your picture is still not y.",
                          "The adjoint shares each value among factor² pixels. What makes up for that?")
        if close(found, other - factor**2 * operator.adjoint(residual), 1e-5):
            raise Mistake("The correction goes the wrong way: the residual has doubled.",
                          "Should a square that is too dark become brighter or darker?")
        if close(found, factor**2 * operator.adjoint(y), 1e-5):
            raise Mistake("This picture has the measurement y, but it has forgotten `other`.",
                          "Keep `other`, and add only what is missing.")
        if np.allclose(operator.forward(found), y, atol=1e-5):
            raise Mistake("This picture has the measurement y, but another one is nearer to `other`.",
                          "Change all pixels of a square by the same amount.")
        raise Mistake(f"For factor {factor} the measurement of your picture is not y.",
                      "Compute the residual y - A(other), and send it back.")
    return ("This is the projection onto all pictures that explain y. Restoration with generative models uses it "
            "to keep a prior honest.")


def majority(answer):
    """Stretch: the picture with the fewest wrong pixels on average."""
    rng = np.random.default_rng(4)
    for _ in range(3):
        candidates = rng.integers(0, 2, (7, 40)).astype(np.float64)
        weights = np.array([0.3, 0.2, 0.14, 0.12, 0.1, 0.08, 0.06])
        found = array(call(answer, candidates, weights), (40,), "the picture")
        white = weights @ candidates
        if close(found, white > 0.5):
            continue
        if close(found, white):
            raise Mistake("This is the mean, which holds grey pixels.", "Each pixel has to be decided: 0 or 1?")
        if close(found, candidates[0]):
            raise Mistake("This is the MAP: it is most often right as a whole, not pixel by pixel.",
                          "Let all candidates vote on each pixel, with their weights.")
        if close(found, candidates.mean(axis=0) > 0.5):
            raise Mistake("Every candidate has one vote here, the improbable ones too.",
                          "Weigh the votes with `weights`.")
        if close(found, white < 0.5):
            raise Mistake("Black and white are exchanged.", "`weights @ candidates` is the probability of white.")
        raise Mistake("Another picture has fewer wrong pixels on average.",
                      "Find for each pixel the probability that it is 1.")
    return "One posterior, four questions, four answers: whole picture, squared error, a draw, and single pixels."


def flip(answer):
    """Repair: the adjoint of a circular blur with any kernel."""
    from scipy.ndimage import convolve, correlate

    rng = np.random.default_rng(9)
    for shape in ((3, 5), (5, 5), (1, 7)):
        kernel = rng.random(shape)
        r = rng.standard_normal((14, 17))
        back = array(call(answer, r, kernel), r.shape, "A' r")
        if close(back, correlate(r, kernel, mode="wrap"), 1e-6):
            continue
        if close(back, convolve(r, kernel, mode="wrap"), 1e-6):
            raise Mistake("This is forward again.", "Turn the kernel by half a turn.")
        if close(back, convolve(r, kernel[::-1], mode="wrap"), 1e-6) or close(
                back, convolve(r, kernel[:, ::-1], mode="wrap"), 1e-6):
            raise Mistake("The kernel is mirrored along one axis only.", "Light moves along both: mirror both.")
        if close(back, convolve(r, kernel.T, mode="wrap"), 1e-6):
            raise Mistake("The kernel is transposed, and it is the operator that should be.",
                          "Write the matrix of the blur for four pixels in a row and transpose that.")
        if close(back, correlate(r, kernel), 1e-6):
            raise Mistake("The kernel is right; at the border the picture is mirrored now.",
                          "forward wraps around, so the adjoint must: mode=\"wrap\".")
        raise Mistake(f"For a kernel of shape {shape} the inner products <A u, r> and <u, A' r> differ.",
                      "Only the kernel changes, and nothing of convolve but that.")
    return "Half a turn. Whoever tests with round kernels alone never finds this one."
