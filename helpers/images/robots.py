"""A world of a million robots, every one of which is known: drawn from six attributes, and read back from its pixels.

A robot has one of ten colours, and one of ten bodies, heads, accessories, eyes and mouths, each chosen on its own:
10⁶ robots. Because all of them are known, questions about pictures have exact answers: is this sample a robot, which
one, was it in the training set, did it get the colour that was asked for?

The drawings are by Zikri Kader, from the package robohash (set 1), under the licence CC BY 3.0 or CC BY 4.0: credit
"robots by Zikri Kader, robohash, CC BY" where you show them.
"""

import functools
import re
from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.images.cache import cached, shipped
from helpers.images.robot_search import CHOICES, Search, bases, groups, over

ATTRIBUTES = ("colour", "body", "head", "accessory", "eyes", "mouth")
KINDS = ATTRIBUTES[1:]  # the five parts, in the order in which they are pasted
COLOURS = ("blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow")
WORLD = CHOICES ** len(ATTRIBUTES)  # the number of robots
SIZES = (32, 64)  # pixels
SPECK = 0.04  # squared distance from white: a pixel farther off is a speckle, however far it is
SIDE = 300  # pixels of a drawing

# Pairs that training never shows, so that a model can be asked for what is new only in its combination. Each value of
# each attribute is held out exactly once: with colour c the head (3 c + 1) mod 10, with head h the accessory
# (7 h + 4) mod 10.
HELD_OUT = {
    ("colour", "head"): tuple((3 * colour + 1) % CHOICES for colour in range(CHOICES)),
    ("head", "accessory"): tuple((7 * head + 4) % CHOICES for head in range(CHOICES)),
}
SPLITS = ("train", "held-out", "all")

# What a caption says of each design, in the order of the designs. Nobody ever named them: these words were chosen by
# looking. The first word says which design it is, and means nothing else in any caption.
PHRASES = {
    "body": ("barrel body", "cone body", "slim body", "funnel body", "hatch body",
             "pole body", "porthole body", "bottle body", "bucket body", "broad body"),
    "head": ("chinned head", "round head", "domed head", "egg head", "tin-can head",
             "bulb head", "shield head", "hooked head", "triangular head", "boxy head"),
    "accessory": ("seven", "nose", "antenna", "siren", "dish", "moustache", "hat", "aerial", "plume", "spike"),
    "eyes": ("angry eyes", "goggle eyes", "cyclops eye", "scanner visor", "camera eye",
             "beady eyes", "owl eyes", "slit eye", "hooded eyes", "glass visor"),
    "mouth": ("letterbox mouth", "flap mouth", "striped mouth", "chequered mouth", "upright mouth",
              "oval mouth", "barred mouth", "two-toothed mouth", "framed mouth", "smiling mouth"),
}
FILLERS = ("a", "an", "and", "the", "with", "robot", "number")  # words of captions that say nothing about a robot
UNSAID = -1  # the value of an attribute that a caption leaves open

# --------------------------------------------------------------------------------------------- parts


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
        raise ValueError(f"size must be 32 or 64, but {size} came")
    return dict(_parts(int(size)))


@functools.cache
def _parts(size):
    shape = (CHOICES, CHOICES, size, size, 4)
    stored = cached(f"robots-{size}-v1", KINDS, lambda: _read_parts(size),
                    lambda arrays: all(values.shape == shape and values.dtype == np.uint16 for values in arrays))
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


def render(attributes, size=32, background="white", seed=0):
    """Draw robots.

    Parameters
    ----------
    attributes : array of int, shape (..., 6)
        Colour, body, head, accessory, eyes and mouth, each in 0 … 9: see ``ATTRIBUTES``.
    size : int
        32 or 64 pixels.
    background : "white", "speckles" or array
        What stands behind the robots. "speckles" are those of :func:`speckles` with this ``seed``, which also tells
        where they lie. An array holds pictures in [0, 1] of a shape that broadcasts to (..., size, size, 3).

    Returns
    -------
    array
        float32, shape (..., size, size, 3), in [0, 1].
    """
    attributes = _attributes(attributes)
    drawn = parts(size)
    shape = (*attributes.shape[:-1], size, size, 3)
    x = _background(background, seed, shape)
    flat, each = x.reshape(-1, size, size, 3), attributes.reshape(-1, len(ATTRIBUTES))
    for start in range(0, len(flat), 256):  # in pieces that fit the processor's cache
        _paste(flat[start : start + 256], drawn, each[start : start + 256])
    return x


def _background(background, seed, shape):
    if isinstance(background, str):
        validation.choice(background, "background", ("white", "speckles"))
        validation.seed(seed)
        if background == "white":
            return np.ones(shape, np.float32)
        return speckles(int(np.prod(shape[:-3])), shape[-2], seed).background.reshape(shape)
    background = validation.array(background, "background").astype(np.float32)
    if background.min() < 0 or background.max() > 1:
        raise ValueError(f"background must lie in [0, 1], but it spans [{background.min():.3g}, "
                         f"{background.max():.3g}]")
    try:
        return np.broadcast_to(background, shape).copy()
    except ValueError:
        raise ValueError(f"background has shape {background.shape}, expected {shape} or one that broadcasts to "
                         "it") from None


def _paste(x, drawn, attributes):
    """Paste the parts of robots (n, 6) on pictures (n, size, size, 3), in place."""
    for column, kind in enumerate(KINDS, start=1):
        part = drawn[kind][attributes[:, 0], attributes[:, column]]
        x *= 1 - part[..., 3:]
        x += part[..., :3]
    np.clip(x, 0, 1, out=x)


class Speckles(NamedTuple):
    """Pictures of coloured discs on white, and what is known of every disc. Lengths are in pixels."""

    background: np.ndarray  # (n, size, size, 3), float32 in [0, 1]
    row: np.ndarray  # (n, count): centre, 0 is the upper edge of the picture
    column: np.ndarray  # (n, count): centre, 0 is the left edge of the picture
    radius: np.ndarray  # (n, count)
    colour: np.ndarray  # (n, count, 3): red, green, blue in [0, 1]


def speckles(n, size=32, seed=0, count=12):
    """Draw ``n`` random backgrounds of ``count`` discs each, some of which a robot will hide.

    Centres lie anywhere, radii are between 1/32 and 3/32 of the side, colours are any; a later disc covers an earlier
    one. Another ``size`` shows the same discs more or less sharply, and a smaller set is the beginning of a larger one.
    """
    validation.integer(n, "n", low=1)
    validation.integer(size, "size", low=1, high=512)
    validation.integer(count, "count", low=1, high=1000)
    rng = np.random.default_rng(validation.seed(seed))
    row, column, radius, *colour = np.moveaxis(rng.random((n, count, 6), dtype=np.float32), -1, 0)
    row, column, radius, colour = row * size, column * size, (1 + 2 * radius) * size / 32, np.stack(colour, axis=-1)
    x = np.ones((n, size, size, 3), np.float32)
    middle = np.arange(size, dtype=np.float32) + 0.5  # of the pixels
    for disc in range(count):
        down = middle[:, None] - row[:, disc, None, None]
        across = middle - column[:, disc, None, None]
        inside = np.clip(radius[:, disc, None, None] + 0.5 - np.hypot(down, across), 0, 1)[..., None]  # soft edge
        x += inside * (colour[:, disc, None, None] - x)
    return Speckles(np.clip(x, 0, 1), row, column, radius, colour)


class Layers(NamedTuple):
    """All robots of one colour on white, as sums of four pictures: see :func:`layers`."""

    base: np.ndarray  # (10 bodies, 10 heads, size, size, 3)
    accessory: np.ndarray  # (10 bodies, 10 heads, 10, size, size, 3)
    eyes: np.ndarray  # (groups, 10 bodies, 10 heads, 10, size, size, 3)
    mouth: np.ndarray  # (groups, 10 bodies, 10 heads, 10, size, size, 3)
    group: np.ndarray  # (10,): the group of each accessory


def layers(colour, size=32):
    """Take the 10⁵ robots of one colour apart into pictures that add up.

    The robot of body b, head h, accessory a, eyes e and mouth m is, to rounding, ::

        base[b, h] + accessory[b, h, a] + eyes[group[a], b, h, e] + mouth[group[a], b, h, m]

    Pasting is not adding, but here it nearly is: eyes and mouth never cover the same pixel, and only two accessories
    (nose and moustache) lie under them, so that three groups of accessories are enough. A linear operator need thus be
    applied to 7,100 pictures of a colour and not to 100,000; how well each robot fits a measurement follows from inner
    products.

    Parameters
    ----------
    colour : int
        0 … 9, as in ``COLOURS``.
    size : int
        32 or 64 pixels. At 32 the float32 arrays take 87 MB, at 64 four times as much.
    """
    validation.integer(colour, "colour", low=0, high=CHOICES - 1)
    drawn = {kind: values[colour] for kind, values in parts(size).items()}
    base = bases(drawn)
    group, worn = groups(base, drawn)
    eyes, mouth = (np.stack([over(on[:, :, None], drawn[kind]) - on[:, :, None] for on in worn])
                   for kind in ("eyes", "mouth"))
    accessory = over(base[:, :, None], drawn["accessory"]) - base[:, :, None]
    return Layers(1 + base, accessory, eyes, mouth, group)


def read(x, background="white"):
    """Read the attributes of the robots nearest to given pictures, by exact search through the whole world.

    Of all 10⁶ robots on white, the one of least squared distance is found, whatever the picture shows: nothing is
    searched greedily. (Two robots whose root mean square distances differ by less than 10⁻⁵ count as equally near.)
    This is possible because eyes and mouth never cover the same pixel. Given colour, body, head and accessory, of which
    there are 10⁴ combinations, the best eyes and the best mouth can therefore be found one after the other.

    Speckles are no part of a robot. With ``background="speckles"`` a pixel counts, with the part α of it that a robot
    covers, its squared distance from that robot, and with the rest its squared distance from white, but no more than
    ``SPECK`` a channel: a ground may be white or have a speckle, and a robot may not be chosen to explain one.

    Parameters
    ----------
    x : array, shape (..., size, size, 3)
        Pictures of 32 × 32 or 64 × 64 pixels. Values may leave [0, 1], as samples do.
    background : "white" or "speckles"
        What stands behind the robots.

    Returns
    -------
    attributes : array of int64, shape (..., 6)
        As :func:`render` takes them.
    distance : array of float32, shape (...)
        Root mean square difference between the picture and that robot, over pixels and channels; on speckles over the
        robot's own pixels alone, each weighted with the part of it that the robot covers.
    """
    x = validation.array(x, "x")
    if x.ndim < 3 or x.shape[-1] != 3 or x.shape[-2] != x.shape[-3] or x.shape[-2] not in SIZES:
        raise ValueError(f"x must have shape (..., 32, 32, 3) or (..., 64, 64, 3), but its shape is {x.shape}")
    if np.abs(x).max() > 100:
        raise ValueError(f"x must lie in [0, 1] or near it, but it spans [{x.min():.3g}, {x.max():.3g}]: divide 0-255 "
                         "data by 255")
    validation.choice(background, "background", ("white", "speckles"))
    size = x.shape[-2]
    flat = x.reshape(-1, size, size, 3).astype(np.float32)
    attributes = _nearest(flat, size, background == "speckles")
    distance = np.empty(len(flat), np.float32)
    for start in range(0, len(flat), 256):
        piece = slice(start, start + 256)
        squares = np.square(flat[piece] - render(attributes[piece], size)).mean(axis=-1)
        weight = cover(attributes[piece], size) if background == "speckles" else np.ones_like(squares)
        distance[piece] = np.sqrt((weight * squares).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))
    return attributes.reshape(*x.shape[:-3], len(ATTRIBUTES)), distance.reshape(x.shape[:-3])


def cover(attributes, size=32):
    """Return which part of each pixel robots (..., 6) cover: (..., size, size), in [0, 1]."""
    attributes = _attributes(attributes)
    bare = np.ones((*attributes.shape[:-1], size, size), np.float32)
    for column, kind in enumerate(KINDS, start=1):
        bare *= 1 - parts(size)[kind][attributes[..., 0], attributes[..., column], ..., 3]
    return 1 - bare


def _nearest(x, size, speckled=False):
    """Return the attributes (N, 6) of the robots nearest to pictures (N, size, size, 3)."""
    drawn = parts(size)
    x = x - 1  # the difference from white is nought in most pixels: little is lost to rounding
    if speckled:  # what is gained where a robot covers the ground, as a fourth channel
        squares = np.square(x).sum(axis=-1, keepdims=True)
        x = np.concatenate([x, (np.minimum(squares, 3 * SPECK) - squares) / 2], axis=-1)
    x = x.reshape(len(x), -1)
    best, found = np.full(len(x), np.inf, np.float32), np.zeros((len(x), len(ATTRIBUTES)), np.int64)
    for colour in range(CHOICES):
        search = Search({kind: drawn[kind][colour] for kind in KINDS}, speckled)
        for start in range(0, len(x), 128):
            piece = slice(start, start + 128)
            cost, designs = search.best(x[piece])
            nearer = cost < best[piece]
            best[piece][nearer] = cost[nearer]
            found[piece][nearer] = np.insert(designs[nearer], 0, colour, axis=1)
    return found


# --------------------------------------------------------------------------------------------- words


def caption(attributes):
    """Say what robots look like: a string for attributes (6,), a list of strings for (N, 6).

    What is ``UNSAID`` (-1) is left out, so that every caption can be shortened.

    >>> caption([7, 0, 3, 2, 0, 6])
    'a red robot with a barrel body, an egg head, an antenna, angry eyes and a barred mouth'
    >>> caption([-1, -1, -1, 6, -1, -1])
    'a robot with a hat'
    """
    attributes = _attributes(attributes, low=UNSAID)
    if attributes.ndim > 2:
        raise ValueError(f"attributes must have shape (6,) or (N, 6), but their shape is {attributes.shape}")
    if attributes.ndim == 2:
        return [caption(each) for each in attributes]
    colour, *designs = attributes.tolist()
    said = [_with_article(PHRASES[kind][design]) for kind, design in zip(KINDS, designs, strict=True) if design >= 0]
    robot = _with_article("robot" if colour == UNSAID else f"{COLOURS[colour]} robot")
    if not said:
        return robot
    return f"{robot} with " + " and ".join([", ".join(said[:-1]), said[-1]] if said[:-1] else said)


def parse(words, complete=False):
    """Read attributes from words: the inverse of :func:`caption`, but free in order and in what is left out.

    Parameters
    ----------
    words : str or list of str
        Such as "a hat, an egg head, green" or any caption. Case and punctuation do not matter, "gray" is grey, and
        "head", "body", "mouth", "eyes", "eye", "visor" may be left out after the word that tells the design.
    complete : bool
        Ask for all six attributes.

    Returns
    -------
    array of int64, shape (6,) or (N, 6)
        ``UNSAID`` (-1) where the words leave an attribute open.

    Raises
    ------
    ValueError
        For a word that is in no caption (with the near ones), for two colours or two designs of one kind, for a noun
        without its design ("a head") or with that of another kind ("an egg body"), and for a missing attribute if
        ``complete``.

    >>> parse("Green, with a hat!").tolist()
    [2, -1, -1, 6, -1, -1]
    """
    validation.flag(complete, "complete")
    if isinstance(words, (list, tuple)):
        if not words:
            raise ValueError("words is an empty list: give at least one caption")
        return np.stack([parse(each, complete) for each in words])
    if not isinstance(words, str):
        raise TypeError(f"words must be a string or a list of strings, but {validation.brief(words)} came")
    tokens = re.findall(r"[^\W_]+(?:-[^\W_]+)*", words.lower())
    meanings, nouns = _vocabulary()
    attributes = np.full(len(ATTRIBUTES), UNSAID)
    before = None  # the kind of the design that the word before told
    for token in tokens:
        if token in nouns:
            _check_noun(words, token, nouns[token], before)
            before = None
        elif token in meanings:
            before, value = meanings[token]
            column = ATTRIBUTES.index(before)
            if attributes[column] not in (UNSAID, value):
                raise ValueError(f"words {words!r} say two things of the {before}, the second is {token!r}")
            attributes[column] = value
        else:
            validation.choice(token, f"words {words!r}:", [*FILLERS, *meanings, *nouns])
            before = None
    if not tokens:
        raise ValueError(f"words {words!r} hold no word")
    if complete and UNSAID in attributes:
        missing = [name for name, value in zip(ATTRIBUTES, attributes, strict=True) if value == UNSAID]
        raise ValueError(f"words {words!r} leave open: {', '.join(missing)}")
    return attributes


def _check_noun(words, noun, kind, before):
    if before is None:
        example = _with_article(PHRASES[kind][0])
        raise ValueError(f"words {words!r} do not say which {noun}: put a word before it, as in {example!r}")
    if before != kind:
        raise ValueError(f"words {words!r}: what stands before {noun!r} tells the {before}, not the {kind}")


@functools.cache
def _vocabulary():
    """Return what each word means: from word to (attribute, value), and from noun to kind."""
    meanings = {word: ("colour", value) for value, word in enumerate(COLOURS)} | {"gray": ("colour", 3)}
    nouns = {}
    for kind, phrases in PHRASES.items():
        for value, phrase in enumerate(phrases):
            word, *noun = phrase.split()
            meanings[word] = (kind, value)
            nouns |= dict.fromkeys(noun, kind)
    return meanings, nouns


def _with_article(phrase):
    if phrase.endswith("eyes"):
        return phrase
    if phrase == "seven":
        return "the number seven"
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


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
