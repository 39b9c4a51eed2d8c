"""A world of a million robots, every one of which is known: drawn from six attributes, and read back from its pixels.

A robot has one of ten colours, and one of ten bodies, heads, accessories, eyes and mouths, each chosen on its own:
10⁶ robots. Because all of them are known, questions about pictures have exact answers: is this sample a robot, which
one, was it in the training set, did it get the colour that was asked for?

The drawings are by Zikri Kader, from the package robohash (set 1), under the licence CC BY 3.0 or CC BY 4.0: credit
"robots by Zikri Kader, robohash, CC BY" where you show them.
"""

import functools

import numpy as np

from helpers import validation
from helpers.images.cache import cached, shipped

ATTRIBUTES = ("colour", "body", "head", "accessory", "eyes", "mouth")
KINDS = ATTRIBUTES[1:]  # the five parts, in the order in which they are pasted
COLOURS = ("blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow")
CHOICES = 10  # of each attribute
WORLD = CHOICES ** len(ATTRIBUTES)  # the number of robots
SIZES = (32, 64)  # pixels
SIDE = 300  # pixels of a drawing

# Pairs that training never shows, so that a model can be asked for what is new only in its combination. Each value of
# each attribute is held out exactly once: with colour c the head (3 c + 1) mod 10, with head h the accessory
# (7 h + 4) mod 10.
HELD_OUT = {
    ("colour", "head"): tuple((3 * colour + 1) % CHOICES for colour in range(CHOICES)),
    ("head", "accessory"): tuple((7 * head + 4) % CHOICES for head in range(CHOICES)),
}
SPLITS = ("train", "held-out", "all")

# --------------------------------------------------------------------------------------------- parts


@functools.cache
def parts(size=32):
    """Return the drawn parts of all robots, ready for pasting.

    Parameters
    ----------
    size : int
        Side in pixels, 32 or 64. A pixel is the mean of the area that it covers in a drawing of 300 × 300.

    Returns
    -------
    dict
        From each of ``KINDS`` to a read-only float32 array (10 colours, 10 designs, size, size, 4) in [0, 1]. The last
        axis is red, green, blue, each already multiplied by alpha, and alpha: a part p lies on a picture x as
        ``p[..., :3] + (1 - p[..., 3:]) * x``.

    Raises
    ------
    ModuleNotFoundError
        If the package robohash is not installed.
    """
    validation.integer(size, "size")
    if size not in SIZES:
        raise ValueError(f"size must be 32 or 64 (the parts are kept in these sizes), but {size} came")
    shape = (CHOICES, CHOICES, size, size, 4)
    stored = cached(f"robots-{size}-v1", KINDS, lambda: _read_parts(size))
    if any(values.shape != shape or values.dtype != np.uint16 for values in stored):
        stored = _read_parts(size)  # whatever lies there under this name, it is no robot
    found = {}
    for kind, values in zip(KINDS, stored, strict=True):
        found[kind] = np.divide(values, 65535, dtype=np.float32)
        found[kind].flags.writeable = False
    return found


def _read_parts(size):
    """Read and shrink the 500 drawings: some seconds, which is why the result is cached, as 16-bit whole numbers."""
    from PIL import Image

    folder = shipped("robohash", "robohash/sets/set1", "the robots")
    means = _area_means(size)
    stored = []
    for kind in KINDS:
        values = np.zeros((CHOICES, CHOICES, size, size, 4), np.uint16)
        name = "face" if kind == "head" else kind  # the number in front of a file's name is shuffled: the last counts
        for colour, word in enumerate(COLOURS):
            for design in range(CHOICES):
                (file,) = folder.glob(f"{word}/*/*_{name}-{design + 1:02d}.png")
                with Image.open(file) as picture:
                    pixels = np.asarray(picture.convert("RGBA"), np.float32) / 255
                pixels[..., :3] *= pixels[..., 3:]
                rows = (means @ pixels.reshape(SIDE, -1)).reshape(size, SIDE, 4)
                small = means @ rows
                values[colour, design] = np.rint(small.clip(0, 1) * 65535)
        stored.append(values)
    return tuple(stored)


def _area_means(size):
    """Return the (size, 300) matrix that takes means over equal pieces of a line of 300 pixels."""
    edges = np.linspace(0, SIDE, size + 1)
    pixel = np.arange(SIDE)
    covered = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (covered.clip(0, 1) * size / SIDE).astype(np.float32)


# --------------------------------------------------------------------------------------------- drawing and reading


def render(attributes, size=32, background=None):
    """Draw robots.

    Parameters
    ----------
    attributes : array of int, shape (..., 6)
        Colour, body, head, accessory, eyes and mouth, each in 0 … 9: see ``ATTRIBUTES``.
    size : int
        32 or 64 pixels.
    background : None or array
        What stands behind the robots: white by default, else pictures in [0, 1] of a shape that broadcasts to
        (..., size, size, 3), such as those of :func:`speckles`.

    Returns
    -------
    array
        float32, shape (..., size, size, 3), in [0, 1].
    """
    attributes = _attributes(attributes)
    drawn = parts(size)
    shape = (*attributes.shape[:-1], size, size, 3)
    if background is None:
        x = np.ones(shape, np.float32)
    else:
        background = validation.array(background, "background").astype(np.float32)
        if background.min() < 0 or background.max() > 1:
            raise ValueError(f"background must lie in [0, 1], but it spans [{background.min():.3g}, "
                             f"{background.max():.3g}]")
        try:
            x = np.broadcast_to(background, shape).copy()
        except ValueError:
            raise ValueError(f"background has shape {background.shape}, expected {shape} or one that broadcasts to "
                             "it") from None
    flat, each = x.reshape(-1, size, size, 3), attributes.reshape(-1, len(ATTRIBUTES))
    for start in range(0, len(flat), 256):  # in pieces that fit the processor's cache
        _paste(flat[start : start + 256], drawn, each[start : start + 256])
    return x


def _paste(x, drawn, attributes):
    for column, kind in enumerate(KINDS, start=1):
        part = drawn[kind][attributes[:, 0], attributes[:, column]]
        x *= 1 - part[..., 3:]
        x += part[..., :3]
    np.clip(x, 0, 1, out=x)


def read(x):
    """Read the attributes of the robots nearest to given pictures, by exact search through the whole world.

    Of all 10⁶ robots on white, the one of least squared distance is found, whatever the picture shows: nothing is
    searched greedily. (Two robots whose root mean square distances differ by less than 10⁻⁵ count as equally near.)
    This is possible because eyes and mouth never cover the same pixel. Given colour, body, head and accessory, of which
    there are 10⁴ combinations, the best eyes and the best mouth can therefore be found one after the other.

    Parameters
    ----------
    x : array, shape (..., size, size, 3)
        Pictures of 32 × 32 or 64 × 64 pixels. Values may leave [0, 1], as samples do.

    Returns
    -------
    attributes : array of int64, shape (..., 6)
        As :func:`render` takes them.
    distance : array of float32, shape (...)
        Root mean square difference between the picture and that robot, over pixels and channels.
    """
    x = validation.array(x, "x")
    if x.ndim < 3 or x.shape[-1] != 3 or x.shape[-2] != x.shape[-3] or x.shape[-2] not in SIZES:
        raise ValueError(f"x must have shape (..., 32, 32, 3) or (..., 64, 64, 3), but its shape is {x.shape}")
    if np.abs(x).max() > 100:
        raise ValueError(f"x must lie in [0, 1] or near it, but it spans [{x.min():.3g}, {x.max():.3g}]: divide 0-255 "
                         "data by 255")
    size = x.shape[-2]
    flat = x.reshape(-1, size, size, 3).astype(np.float32)
    attributes = _nearest(flat, size)
    distance = np.empty(len(flat), np.float32)
    for start in range(0, len(flat), 256):
        piece = slice(start, start + 256)
        distance[piece] = np.sqrt(np.square(flat[piece] - render(attributes[piece], size)).mean(axis=(1, 2, 3)))
    return attributes.reshape(*x.shape[:-3], len(ATTRIBUTES)), distance.reshape(x.shape[:-3])


def _nearest(x, size):
    """Return the attributes (N, 6) of the robots nearest to pictures (N, size, size, 3)."""
    drawn = parts(size)
    x = x.reshape(len(x), -1) - 1  # the difference from white is nought in most pixels: little is lost to rounding
    best, found = np.full(len(x), np.inf, np.float32), np.zeros((len(x), len(ATTRIBUTES)), np.int64)
    for colour in range(CHOICES):
        search = _Search({kind: drawn[kind][colour] for kind in KINDS})
        for start in range(0, len(x), 128):
            piece = slice(start, start + 128)
            cost, designs = search.best(x[piece])
            nearer = cost < best[piece]
            best[piece][nearer] = cost[nearer]
            found[piece][nearer] = np.insert(designs[nearer], 0, colour, axis=1)
    return found


class _Search:
    """All robots of one colour, arranged for an exact search.

    A cost is the squared distance to a picture, up to what does not depend on the robot. The cost of a body with a head
    is changed by an accessory in the few pixels where accessories lie, and then by eyes and mouth in theirs.
    """

    def __init__(self, drawn):
        self.bases = _over(_over(0, drawn["body"][:, None]), drawn["head"])  # (body, head, size, size, 3), white is 0
        self.place = {kind: drawn[kind][..., 3].any(axis=0) for kind in KINDS}  # where any design of a kind lies
        covered = drawn["accessory"][..., 3] > 0
        face = self.place["eyes"] | self.place["mouth"]
        self.under = [design for design in range(CHOICES) if (covered[design] & face).any()]  # eyes or mouth cover it
        self.base = _Candidates(self.bases.reshape(CHOICES**2, -1))
        self.accessory = self._on(self.bases, drawn, "accessory")
        self.face = {}  # from an accessory that eyes or mouth meet, or None for all others, to their candidates
        for design in [None, *self.under]:
            worn = self.bases if design is None else _over(self.bases, drawn["accessory"][design])
            self.face[design] = [self._on(worn, drawn, kind) for kind in ("eyes", "mouth")]

    def _on(self, bases, drawn, kind):
        """Return candidates for the pixels of one kind: each base bare, and with each of its ten designs."""
        place = self.place[kind]
        bare = bases[:, :, None, place]
        patches = np.concatenate([bare, _over(bare, drawn[kind][:, place])], axis=2)
        return _Candidates(patches.reshape(CHOICES**2 * (1 + CHOICES), -1), np.repeat(place.ravel(), 3))

    def best(self, x):
        """Return the least cost (n,) and the designs (n, 5) that have it, for pictures (n, pixels · channels)."""
        cost = self.base(x)[..., None] + self._change(self.accessory, x)  # (n, body and head, accessory)
        chosen = np.empty((len(x), CHOICES**2, CHOICES, 2), np.int8)
        for design, face in self.face.items():
            rows = [design] if design in self.under else [row for row in range(CHOICES) if row not in self.under]
            for column, candidates in enumerate(face):
                change = self._change(candidates, x)
                cost[:, :, rows] += change.min(axis=2)[..., None]
                chosen[:, :, rows, column] = change.argmin(axis=2)[..., None]
        least = cost.reshape(len(x), -1).argmin(axis=1)
        each = np.arange(len(x))
        designs = np.unravel_index(least, (CHOICES, CHOICES, CHOICES))
        face = chosen.reshape(len(x), -1, 2)[each, least]
        return cost.reshape(len(x), -1)[each, least], np.column_stack([*designs, face])

    @staticmethod
    def _change(candidates, x):
        cost = candidates(x).reshape(len(x), CHOICES**2, 1 + CHOICES)
        return cost[..., 1:] - cost[..., :1]


class _Candidates:
    """Rows of pixel values, whose costs for a picture come from one product of matrices."""

    def __init__(self, rows, place=slice(None)):
        self.rows, self.place = rows, place
        self.norms = np.square(rows).sum(axis=1)

    def __call__(self, x):
        return self.norms - 2 * (x[:, self.place] @ self.rows.T)


def _over(x, part):
    """Paste a part on pictures whose white is 0 and whose black is -1."""
    colour, alpha = part[..., :3], part[..., 3:]
    return (colour - alpha) + (1 - alpha) * x


# --------------------------------------------------------------------------------------------- numbers and splits


def index(attributes):
    """Return the numbers 0 … 999,999 of robots, shape (...), from their attributes, shape (..., 6).

    >>> int(index([0, 0, 0, 0, 0, 7])), int(index([9, 9, 9, 9, 9, 9]))
    (7, 999999)
    """
    return np.ravel_multi_index(tuple(np.moveaxis(_attributes(attributes), -1, 0)), (CHOICES,) * len(ATTRIBUTES))


def from_index(number):
    """Return the attributes (..., 6) of robots given by their numbers: the inverse of :func:`index`."""
    number = _whole(number, "number")
    if number.size and (number.min() < 0 or number.max() >= WORLD):
        raise ValueError(f"number must lie in 0 … {WORLD - 1}, but it spans {number.min()} … {number.max()}")
    return np.stack(np.unravel_index(number, (CHOICES,) * len(ATTRIBUTES)), axis=-1)


def allowed(attributes):
    """Say which robots, shape (..., 6), training may show: those without a pair of ``HELD_OUT``. Booleans, (...)."""
    attributes = _attributes(attributes)
    shown = np.ones(attributes.shape[:-1], bool)
    for (one, other), partner in HELD_OUT.items():
        first, second = (attributes[..., ATTRIBUTES.index(name)] for name in (one, other))
        shown &= np.array(partner)[first] != second
    return shown


def draw_robots(n, seed=0, split="train"):
    """Draw the attributes of ``n`` random robots, (n, 6) integers, uniformly and with replacement.

    ``split`` is "train" (the 810,000 robots without a held-out pair), "held-out" (the 190,000 with one or two), or
    "all".
    """
    validation.integer(n, "n", low=1)
    rng = np.random.default_rng(validation.seed(seed))
    numbers = _numbers(validation.choice(split, "split", SPLITS))
    return from_index(numbers[rng.integers(len(numbers), size=n)])


def training_robots(n):
    """Return ``n`` different robots, (n, 6), a training set that is always the same: to count what was memorised.

    All are allowed in training. A smaller set is the beginning of a larger one, and none of :func:`unseen_robots` is in
    it. ``n`` is at most 405,000.
    """
    return from_index(_shuffled()[: validation.integer(n, "n", low=1, high=len(_shuffled()) // 2)])


def unseen_robots(n):
    """Return ``n`` different robots, (n, 6), allowed in training but never in :func:`training_robots`.

    Both sets are drawn alike, so whatever tells them apart was learnt by heart. ``n`` is at most 405,000.
    """
    return from_index(_shuffled()[::-1][: validation.integer(n, "n", low=1, high=len(_shuffled()) // 2)])


@functools.cache
def _numbers(split):
    shown = allowed(from_index(np.arange(WORLD)))
    return np.flatnonzero({"train": shown, "held-out": ~shown, "all": np.ones_like(shown)}[split])


@functools.cache
def _shuffled():
    return np.random.default_rng(0).permutation(_numbers("train"))


# --------------------------------------------------------------------------------------------- checks


def _attributes(value, name="attributes", low=0):
    """Return ``value`` as attributes of robots: whole numbers, shape (..., 6), in 0 … 9."""
    result = _whole(value, name)
    if result.ndim == 0 or result.shape[-1] != len(ATTRIBUTES):
        raise ValueError(f"{name} must have shape (..., 6), for {', '.join(ATTRIBUTES)}, but its shape is "
                         f"{result.shape}")
    if result.min() < low or result.max() >= CHOICES:
        raise ValueError(f"{name} must lie in {low} … 9, but they span {result.min()} … {result.max()}")
    return result


def _whole(value, name):
    try:
        result = np.asarray(value)
    except ValueError as error:  # ragged lists
        raise TypeError(f"{name} cannot be read as an array: {error}") from None
    if result.size == 0:
        raise ValueError(f"{name} is empty: its shape is {result.shape}")
    if result.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold whole numbers, but its type is {result.dtype}")
    return result.astype(np.int64)
