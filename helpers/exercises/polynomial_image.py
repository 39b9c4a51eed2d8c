"""Exercises of the page "Generate an image from a polynomial"."""

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photo
from helpers.metrics import psnr
from helpers.operators import Identity, measure


def _centres(size):
    return (2 * np.arange(size) + 1) / size - 1


def price(answer):
    """Understand: the numbers in three polynomial surfaces of degree 20."""
    count = number(answer, "the count")
    if count == 3 * 21 * 21:
        return "1,323 numbers, at whatever size they are drawn. The pixels of 256 × 256 in colour are 196,608 numbers."
    if count == 3 * 20 * 20:
        raise Mistake("A polynomial of degree 20 has more than 20 coefficients.", "Count from degree 0 to degree 20.")
    if count == 21 * 21:
        raise Mistake("That is one channel.", "Red, green and blue each need a surface of their own.")
    if count in (3 * 21, 6 * 21, 2 * 21):
        raise Mistake("The degrees of the two directions are combined, not added.",
                      "Every pair (i, j) has a coefficient of its own.")
    raise Mistake(f"{count:g} is not the count.", "Three channels, and a square table of coefficients for each.")


def denoise(answer):
    """Change: the degree at which a polynomial restores a noisy photograph best."""
    degree = number(answer, "the degree")
    if degree != round(degree) or not 0 <= degree <= 255:
        raise Mistake("A degree is a whole number, from 0 to 255 for 256 pixels.", "Try 5, 10, 15 and so on.")
    x = photo("flower")
    y = measure(x, Identity(), 25 / 255, np.random.default_rng(0))

    Q, _ = np.linalg.qr(chebvander(_centres(256), max(120, int(degree))))  # its first columns serve lower degrees
    a = Q.T @ y @ Q

    def score(d):
        return psnr(x, Q[:, : d + 1] @ a[: d + 1, : d + 1] @ Q[:, : d + 1].T)

    tried = np.arange(20, 121, 5)
    scores = [score(d) for d in tried]
    best, reached = int(tried[np.argmax(scores)]), score(int(degree))
    if reached > max(scores) - 0.1:
        return (f"Degree {int(degree)} reaches {reached:.2f} dB, against {psnr(x, y):.2f} dB of the noisy picture. "
                "Total variation does better on this noise: a stronger belief.")
    if degree < best:
        raise Mistake(f"Degree {int(degree)} reaches {reached:.2f} dB: it has lost the flower along with the noise.",
                      "Try a higher degree.")
    raise Mistake(f"Degree {int(degree)} reaches {reached:.2f} dB: it has begun to copy the noise.",
                  "Try a lower degree.")


def enlarge(answer):
    """Repair: a polynomial that is fitted at other places than it is drawn at."""
    x = photo("hopper", size=24).astype(np.float64)
    x[:4, 12:] = 1.0  # neither symmetric nor its own transpose
    drawn = array(call(answer, x, 6, 40), (40, 40), "the drawing")

    def surface(old, new):
        solve = np.linalg.pinv(chebvander(old, 6))
        return chebvander(new, 6) @ solve @ x @ solve.T @ chebvander(new, 6).T

    right = surface(_centres(24), _centres(40))
    if close(drawn, right, 1e-6):
        return ("One set of 49 coefficients, drawn at any size. That is what vector graphics do, "
                "and networks that map coordinates to colours.")
    if close(drawn, right.T, 1e-6):
        raise Mistake("The picture is mirrored at its diagonal.",
                      "Rows belong to the first matrix, columns to the last.")
    if close(drawn, np.clip(right, 0, 1), 1e-6):
        raise Mistake("You clipped the drawing; return the polynomial itself.", "`show` clips when it must.")
    if close(drawn, surface(np.linspace(-1, 1, 24), np.linspace(-1, 1, 40)), 1e-6):
        raise Mistake("Your coordinates put the outermost pixels on the border, -1 and 1.",
                      "Pixel centres: (2 * np.arange(size) + 1) / size - 1.")
    if close(drawn, surface(np.linspace(-1, 1, 24), _centres(40)), 1e-6):
        raise Mistake("The picture is still magnified: the fit puts its outermost pixels on the border.",
                      "`old` needs the pixel centres, as `draw` has them.")
    if close(drawn, surface(_centres(24), np.linspace(-1, 1, 40)), 1e-6):
        raise Mistake("The fit uses pixel centres, and the drawing does not.", "Use the same rule for both sizes.")
    raise Mistake("This is not the fitted surface at the new pixel centres.",
                  "Coefficients first: pinv(T_old) @ x @ pinv(T_old).T; then T_new @ a @ T_new.T.")


def keep_largest(answer):
    """Stretch: keep the largest cosine coefficients of a picture."""
    from scipy.fft import dctn, idctn

    x = photo("coins", size=32).astype(np.float64)
    kept = array(call(answer, x, 60), x.shape, "the picture")
    a = dctn(x, norm="ortho")

    def draw(size):
        return idctn(np.where(size >= np.sort(size.ravel())[-60], a, 0), norm="ortho")

    if close(kept, draw(np.abs(a)), 1e-6):
        i, j = np.indices(a.shape)
        lowest = idctn(np.where((i < 8) & (j < 8), a, 0), norm="ortho")
        return (f"On a picture of 32 × 32 pixels 60 chosen coefficients reach {psnr(x, kept):.1f} dB, and the 64 of "
                f"lowest degree {psnr(x, lowest):.1f} dB. Choosing is what makes JPEG strong.")
    if close(kept, draw(a), 1e-6):
        raise Mistake("The largest *positive* coefficients were kept. Large negative ones matter as much.",
                      "Compare absolute values.")
    if close(kept, np.where(np.abs(a) >= np.sort(np.abs(a).ravel())[-60], a, 0), 1e-6):
        raise Mistake("These are the coefficients, not the picture.", "Go back with idctn.")
    if close(kept, x - draw(np.abs(a)), 1e-6):
        raise Mistake("You dropped the large coefficients and kept the small ones.",
                      "Look at the direction of your comparison.")
    raise Mistake("This is not the picture of the 60 largest coefficients.",
                  'dctn and idctn both need norm="ortho". Keep a coefficient where its absolute value is large.')
