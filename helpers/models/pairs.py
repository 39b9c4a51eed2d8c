"""Two worlds of paired pictures: white robots and coloured ones, relief maps and what a satellite saw.

A world has ``draw(seed, batch)`` for pairs (y, x) in the graph, and ``watch(model)`` and ``evaluate(model)`` for held-
out metrics of a :class:`helpers.models.translator.Translator`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from helpers import metrics, pretrained, validation
from helpers.images import earth, robots
from helpers.models import worlds
from helpers.training import split

# --------------------------------------------------------------------------------------------- robots

WHITE = robots.COLOURS.index("white")
NINE = tuple(colour for colour in range(robots.CHOICES) if colour != WHITE)
HEADS = (8, 9)  # "triangular" and "boxy": never shown in training
NEVER = robots.HELD_OUT["head", "accessory"]  # the accessory that training never shows with each head
NEAR = 0.06  # root mean square: so near an answer is to be to one of the nine robots that it could be


def designs(n, seed=0, held_out="pairs"):
    """Return ``n`` random designs, attributes (n, 6) of white robots, none of which training ever showed.

    ``held_out`` is "pairs", for heads that training shows, but never with this accessory, or "heads", for one of the
    two heads that it never shows at all.
    """
    validation.choice(held_out, "held_out", ("pairs", "heads"))
    rng = np.random.default_rng(validation.seed(seed))
    said = rng.integers(robots.CHOICES, size=(validation.integer(n, "n", low=1), len(robots.ATTRIBUTES)))
    said[:, 0] = WHITE
    if held_out == "heads":
        said[:, 2] = rng.choice(HEADS, n)
    else:
        said[:, 2] = rng.choice(np.setdiff1d(np.arange(robots.CHOICES), HEADS), n)
        said[:, 3] = np.array(NEVER)[said[:, 2]]
    return said


def coloured(said):
    """Return the nine coloured robots (9, n, 32, 32, 3) that each of the white ones (n, 6) could be."""
    return np.stack([robots.render(np.concatenate([np.full((len(said), 1), colour), said[:, 1:]], axis=1))
                     for colour in NINE])


def best(truths, distance):
    """Return the best single answers to pictures whose ``truths`` (9, n, …) are equally likely: mean or median."""
    return {"l2": np.mean, "l1": np.median}[distance](truths, axis=0)


def distances(answers, truths):
    """Return the root mean square distances (9, n) of answers (n, …) from each of the robots that they could be."""
    return np.sqrt(np.square(truths - answers).mean(axis=(2, 3, 4)))


class Painted(NamedTuple):
    """What colour answers have, each (n,)."""

    colour: np.ndarray  # the nearest of the nine, an index of ``NINE``
    far: np.ndarray  # root mean square distance from the robot of that colour
    clear: np.ndarray  # whether that is less than half the distance from any other colour
    one: np.ndarray  # whether head and body, looked at alone, have the same nearest colour


def painted(answers, said, truths=None):
    """Return the colours of answers (n, 32, 32, 3) to designs (n, 6), as :class:`Painted`."""
    truths = coloured(said) if truths is None else truths
    far = distances(answers, truths)
    first, second = np.sort(far, axis=0)[:2]
    parts = robots.parts(32)
    head, body = (parts[kind][WHITE, said[:, column], ..., 3] for kind, column in (("head", 2), ("body", 1)))
    squares = np.square(truths - answers).mean(axis=-1)
    alone = [(squares * place).sum(axis=(2, 3)).argmin(axis=0) for place in (head, body * (1 - head))]
    return Painted(far.argmin(axis=0), first, first < second / 2, alone[0] == alone[1])


class Robots:
    """White robots and the same in one of nine colours, drawn at random.

    Two heads of ten are held out, and with each of the others one accessory of ten.
    """

    def __init__(self):
        self.parts = worlds.robot_parts()

    def draw(self, seed, batch):
        """Return white and coloured robots, each (batch, 32, 32, 3)."""
        seeds = split(seed, 4)
        body, eyes, mouth = tf.unstack(
            tf.random.stateless_uniform([3, batch], seeds[0], 0, robots.CHOICES, tf.int32))
        head = tf.random.stateless_uniform([batch], seeds[1], 0, min(HEADS), tf.int32)
        other = tf.random.stateless_uniform([batch], seeds[2], 1, robots.CHOICES, tf.int32)
        accessory = (tf.gather(NEVER, head) + other) % robots.CHOICES
        colour = tf.gather(NINE, tf.random.stateless_uniform([batch], seeds[3], 0, len(NINE), tf.int32))
        said = tf.stack([colour, body, head, accessory, eyes, mouth], axis=1)
        white = tf.concat([tf.fill([batch, 1], WHITE), said[:, 1:]], axis=1)
        return worlds.paste(self.parts, white), worlds.paste(self.parts, said)

    def watch(self, model):
        """Return the numbers of :meth:`judge` for 100 robots with a pair held out."""
        return self.judge(model, designs(100, 1))

    def judge(self, model, said, draws=5):
        """Return what answers to white robots are worth: against a true colour, and against all nine that could be.

        Each robot is answered ``draws`` times. "noise" is the root mean square by which the answers to one robot
        differ from their mean.
        """
        y, truths = robots.render(said), coloured(said)
        x = np.stack([model.translate(y, seed) for seed in range(draws)])
        found = [painted(answers, said, truths) for answers in x]
        colour, far, clear, one = (np.concatenate(values) for values in zip(*found, strict=True))
        share = np.bincount(colour, minlength=len(NINE)) / len(colour)
        return {"psnr": _psnr(truths[None] - x[:, None]),
                "from the mean": _size(x - best(truths, "l2")), "from the median": _size(x - best(truths, "l1")),
                f"within {NEAR}": float(np.mean(far < NEAR)), "clear": float(np.mean(clear)),
                "one colour": float(np.mean(one)), "rarest colour": float(share.min()),
                "most frequent colour": float(share.max()), "noise": _size(x - x.mean(axis=0))}

    def evaluate(self, model):
        """Return the numbers of 300 robots with a pair held out and of 300 with a head held out, and beside them those
        of the exact mean and median of the nine."""
        report = {}
        for held_out in ("pairs", "heads"):
            said, name = designs(300, 2, held_out), f"{held_out} held out"
            truths = coloured(said)
            rivals = {who: self.judge(_Fixed(best(truths, distance)), said, 1)
                      for who, distance in (("the mean", "l2"), ("the median", "l1"))}
            report |= {f"{metric}, {name}": {"value": value, **{who: rival[metric] for who, rival in rivals.items()}}
                       for metric, value in self.judge(model, said).items()}
        return report


class _Fixed:
    """A model with one answer."""

    def __init__(self, x):
        self.x = x

    def translate(self, y, seed=0):
        return self.x


def _size(x):
    return float(np.sqrt(np.mean(np.square(x))))


def _psnr(error):
    return float(-10 * np.log10(np.mean(np.square(error))))


# --------------------------------------------------------------------------------------------- the Earth

WINDOW = 48  # pixels: what a training step sees of a patch of 64
LEVELS = 16  # of each of red, green and blue in the colour table
CONTINENTS = earth.SPLITS[1:]  # those that are held out


class Earth:
    """Relief maps and satellite pictures, in windows cut at random, turned and mirrored. Two continents are held
    out."""

    def __init__(self):
        train = earth.pairs("train", 64)
        both = np.concatenate([train.relief, train.satellite], axis=-1)
        self.patches = tf.constant(np.rint(255 * both).astype(np.uint8))

    def draw(self, seed, batch):
        """Return windows of the relief and of the satellite's picture, each (batch, 48, 48, 3)."""
        seeds = split(seed, 3)
        x = tf.gather(self.patches, tf.random.stateless_uniform([batch], seeds[0], 0, len(self.patches), tf.int32))
        corner = tf.random.stateless_uniform([batch, 2, 1], seeds[1], 0, 65 - WINDOW, tf.int32) + tf.range(WINDOW)
        x = tf.gather(tf.gather(x, corner[:, 0], batch_dims=1), corner[:, 1], axis=2, batch_dims=1)
        turned = tf.random.stateless_uniform([len(worlds.TURNS), batch], seeds[2]) < 0.5
        for some, turn in zip(tf.unstack(turned[..., None, None, None]), worlds.TURNS, strict=True):
            x = tf.where(some, turn(x), x)
        return tuple(tf.unstack(tf.reshape(tf.cast(x, tf.float32) / 255, [batch, WINDOW, WINDOW, 2, 3]), axis=3))

    def watch(self, model):
        """Return the numbers of :func:`judge` on the held-out continents."""
        held_out = held_out_pairs()
        return judge(model.translate(held_out.relief), held_out.satellite)

    def evaluate(self, model):
        """Return the numbers of :func:`judge` on both held-out continents and on each, beside those of a colour table
        and of the nearest training patch; and the Fréchet distance of real patches from real ones."""
        train, report = earth.pairs("train", 32), {}
        table, each = ColourTable(train), {name: earth.pairs(name, 32) for name in CONTINENTS}
        for name, held_out in {"both": held_out_pairs(), **each}.items():
            y, x = held_out.relief, held_out.satellite
            answers = {"value": model.translate(y), "colour table": table(y), "nearest patch": nearest_patch(train, y)}
            judged = {who: judge(answer, x) for who, answer in answers.items()}
            report |= {f"{metric}, {name}": {who: numbers[metric] for who, numbers in judged.items()}
                       for metric in judged["value"]}
            report[f"Fréchet distance, {name}"]["floor"] = pretrained.shared("features").floor(x)
        return report


def held_out_pairs():
    """Return the patches of 32 × 32 pixels of both continents that training never shows, as ``earth.Pairs``."""
    both = [earth.pairs(name, 32) for name in CONTINENTS]
    return earth.Pairs(*(np.concatenate(values) for values in zip(*both, strict=True)))


class ColourTable:
    """The best guess from the colour of one pixel of the relief: the mean of what the satellite saw at that colour."""

    def __init__(self, train):
        cell, colours = self._cells(train.relief).ravel(), train.satellite.reshape(-1, 3)
        count = np.bincount(cell, minlength=LEVELS**3)
        sums = np.stack([np.bincount(cell, channel, LEVELS**3) for channel in colours.T], axis=1)
        seen = np.flatnonzero(count)
        places = np.stack(np.unravel_index(np.arange(LEVELS**3), (LEVELS,) * 3), axis=1)
        far = np.square(places[:, None] - places[seen][None]).sum(axis=2)
        self.table = (sums[seen] / count[seen, None])[far.argmin(axis=1)].astype(np.float32)

    def _cells(self, relief):
        level = np.minimum((relief * LEVELS).astype(int), LEVELS - 1)
        return np.ravel_multi_index(tuple(np.moveaxis(level, -1, 0)), (LEVELS,) * 3)

    def __call__(self, relief):
        """Return the guesses for relief maps (…, 3)."""
        return self.table[self._cells(relief)]


def nearest_patch(train, relief):
    """Return for relief maps (N, 32, 32, 3) the satellite pictures of those training patches whose relief is
    nearest."""
    known, asked = (values.reshape(len(values), -1) for values in (train.relief, relief))
    far = (known**2).sum(axis=1) - 2 * asked @ known.T
    return train.satellite[far.argmin(axis=1)]


def spectrum(x):
    """Return the mean strength of pictures (N, n, n, 3) at each whole number of waves along a side, (n // 2,): the
    squared size of the Fourier coefficients of the grey pictures, added up over all directions."""
    n = x.shape[1]
    waves = np.fft.fftfreq(n, 1 / n)
    ring = np.rint(np.hypot(waves[:, None], waves)).astype(int)
    power = np.mean(np.abs(np.fft.fft2(x.mean(axis=-1)) / n**2) ** 2, axis=0)
    return np.bincount(ring.ravel(), power.ravel())[1 : n // 2 + 1]


def judge(answers, x):
    """Return how near answers (N, 32, 32, 3) are to the truth, and how much they look like it.

    "fine detail" is the strength of the finer half of the waves beside that of the true pictures: 1 is as much.
    """
    fine = slice(x.shape[1] // 4, None)
    return {"psnr": float(np.mean([metrics.psnr(*pair) for pair in zip(x, answers, strict=True)])),
            "ssim": float(np.mean([metrics.ssim(*pair) for pair in zip(x, answers, strict=True)])),
            "absolute error": float(np.mean(np.abs(answers - x))),
            "Fréchet distance": pretrained.shared("features").frechet(answers, x),
            "fine detail": float(spectrum(answers)[fine].sum() / spectrum(x)[fine].sum())}


WORLDS = {"robots": Robots, "earth": Earth}
