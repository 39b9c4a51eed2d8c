"""The shadow of one pixel, which tomography is made of."""

import numpy as np


def shadow_before(edge, a, b):
    """Return the part of a unit square's shadow that lies before ``edge``, measured from the square's centre.

    The square, seen under an angle with |cos| = a and |sin| = b, casts a trapezoid: a box of width a smeared by a box
    of width b.
    """
    wide, narrow = max(a, b), min(a, b)
    if narrow < 1e-12:
        return np.clip(edge + 0.5, 0, 1)

    def ramp(t):  # max(t, 0), smeared by the narrow box: written so that no digits cancel near the right angles
        return np.clip(t + narrow / 2, 0, narrow) ** 2 / (2 * narrow) + np.maximum(t - narrow / 2, 0)

    return np.clip((ramp(edge + wide / 2) - ramp(edge - wide / 2)) / wide, 0, 1)
