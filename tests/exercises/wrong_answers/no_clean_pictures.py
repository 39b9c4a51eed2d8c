"""Plausible wrong answers to the exercises of "Learn without clean pictures", each with a piece of its hint."""

import numpy as np
from scipy.ndimage import uniform_filter

from helpers.exercises.no_clean_pictures import _found

ERROR = 0.0115 - (25 / 255) ** 2
SUMS, GAIN = _found()


def passes(filled, hide=True):
    """Return a blind pass over sixteen sets of pixels, hidden behind what ``filled`` makes of y."""
    def blind(denoise, y):
        x, behind = np.empty_like(y), filled(y)
        rows, columns = np.indices(y.shape)
        for k in range(16):
            hidden = (rows % 4 == k // 4) & (columns % 4 == k % 4)
            x[hidden] = denoise(np.where(hidden & hide, behind, y))[hidden]
        return x
    return blind


def eight(y, mode):
    return (9 * uniform_filter(y, 3, mode=mode) - y) / 8


WRONG = {
    "floor": [
        (-10 * np.log10(0.0115), "loss for the error"),
        (-10 * np.log10(0.0115 + (25 / 255) ** 2), "contains it already"),
        (ERROR, "mean squared error"),
        (-20 * np.log10(ERROR), "root of the mean square"),
        (30.0, "in decibels"),
    ],
    "share": [
        (lambda loss, sigma: sigma**2 / loss, "rise with its error"),
        (lambda loss, sigma: loss / (loss + sigma**2), "takes the loss"),
        (lambda loss, sigma: (loss - sigma**2) / sigma**2, "both terms"),
        (lambda loss, sigma: (loss - sigma**2) ** 0.5 / ((loss - sigma**2) ** 0.5 + sigma), "by variances"),
        (lambda loss, sigma: 0.5, "expected"),
    ],
    "leak": [
        (passes(lambda y: uniform_filter(y, 3, mode="mirror")), "middle was made brighter"),
        (passes(lambda y: eight(y, "reflect")), "border was made brighter"),
        (passes(lambda y: 0 * y), "without noise"),
        (lambda denoise, y: denoise(y), "moved by 0.5"),
        (passes(lambda y: eight(y, "constant")), "At the border"),
    ],
    "noise_filter": [
        (SUMS[::-1], "exchanged"),
        (np.array(SUMS) / 2, "left and right"),
        ((SUMS[0], SUMS[0]), "The first is right"),
        ((0.0, 0.0), "entry 24 of w"),
    ],
    "wider": [
        (-GAIN, "sign is wrong"),
        (25.0, "looks like a PSNR"),
        (-9.0, "above and below"),
        (0.01, "49"),
    ],
}
