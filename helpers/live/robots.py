"""What the browser needs to know of robots: their words, and their drawings as bytes."""

import base64

import numpy as np

from helpers.images import robots


def content():
    """Return what ``robots.js`` works with.

    Returns
    -------
    dict
        ``words``: the vocabulary of :func:`helpers.images.robots.parse`, and the phrases of its captions.
        ``parts``: ``pixels``, for each kind and design the pixels of 32 × 32 that it covers in any colour, and
        ``values``, for each of them and each colour red, green, blue (times alpha) and alpha, as bytes in base64.
    """
    return {"words": words(), "parts": parts()}


def words():
    """Return the words of captions by what they mean."""
    meanings, nouns = robots._vocabulary()
    phrases = {kind: [robots._with_article(phrase) for phrase in all_of] for kind, all_of in robots.PHRASES.items()}
    return {"attributes": robots.ATTRIBUTES, "fillers": robots.FILLERS, "colours": robots.COLOURS, "phrases": phrases,
            "meanings": meanings, "nouns": nouns, "examples": {kind: said[0] for kind, said in phrases.items()}}


def parts():
    """Return the drawings, each without the pixels that it leaves alone."""
    pixels, values = {}, []
    for kind, drawn in robots.parts(32).items():
        flat = np.rint(255 * drawn).astype(np.uint8).reshape(10, 10, -1, 4)  # colours, designs, pixels, channels
        covered = flat[..., 3].any(axis=0)
        pixels[kind] = [np.flatnonzero(one).tolist() for one in covered]
        values += [flat[:, design, one].tobytes() for design, one in enumerate(covered)]
    return {"pixels": pixels, "values": base64.b64encode(b"".join(values)).decode("ascii")}
