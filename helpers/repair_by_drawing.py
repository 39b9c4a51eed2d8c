"""Restore a damaged digit or robot by drawing: several answers with a diffusion model, on one sheet with their spread.

``python -m helpers restore PICTURE --model diffusion-digits`` reads its options with :func:`read_options`, draws with
:func:`answers`, and :func:`repair_file` writes the sheet and says what can be read in the answers.
"""

from typing import NamedTuple

import numpy as np

from helpers import repair, validation
from helpers.operators import Identity, Mask

ANSWERS, MOST = 8, 64  # by default, and at most: all of them stand in one row
ENLARGED = 4  # times: each pixel of a picture becomes a square of so many on the sheet


class World(NamedTuple):
    """The pictures that a model draws."""

    size: tuple  # height and width in pixels
    color: bool
    what: str
    method: str  # of ``helpers.posterior.samplers``, for masks and noise: the one of the nearest odds there


WORLDS = {
    "diffusion-digits": World((28, 28), False, "a grey digit, white on black", "pgdm"),
    "diffusion-robots": World((32, 32), True, "a robot in colour, on white", "gibbs"),
}


def read_options(model, n=None, noise=None, blur=None, mask=None, lost=None):
    """Return model, number of answers and :class:`helpers.repair.Damage` that command-line options describe.

    Raises ``ValueError`` for options that cannot be understood, naming the option or file.
    """
    validation.choice(model, "model", WORLDS)
    n = ANSWERS if n is None else validation.integer(n, "n", low=1, high=MOST)
    if noise is None and mask is None and blur is None:
        raise ValueError(f"what is wrong with the picture? {model} needs --mask, --noise or --blur")
    if blur is not None and str(blur).lower().partition(":")[0] == "unknown":
        raise ValueError(f"blur {blur!r}: {model} has to be told the blur, such as gaussian:1.6")
    damage = repair.read_damage(noise, blur, mask, lost)
    if damage.sigma is None:
        raise ValueError(f"noise: say its σ, such as --noise 25 (or 0): {model} has too few pixels to estimate it from")
    return model, n, damage


def read_measurement(photo, model, damage):
    """Return the damaged picture of a file as a measurement (h, w, 1) or (h, w, 3) of a model's pictures."""
    world = WORLDS[model]
    y = repair.flat(repair.read(photo, world.color), world.color)
    if y.shape[:2] != world.size:
        height, width = world.size
        raise ValueError(f"photo {str(photo)!r} has {y.shape[1]} × {y.shape[0]} pixels, but {model} restores pictures "
                         f"of {width} × {height}: {world.what}")
    damage.check(y.shape, str(photo))
    y = y if world.color else y[..., None]
    return y if damage.known is None else np.where(damage.known[..., None], y, 0).astype(y.dtype)


def answers(y, damage, model, n, seed=0):
    """Draw ``n`` answers (n, h, w, C) in [0, 1] to a measurement.

    With the same seed the same are drawn.
    """
    from helpers import pretrained
    from helpers.posterior.samplers import sample

    method = WORLDS[model].method if isinstance(damage.a, (Mask, Identity)) else "pgdm"  # checked for no blur
    return np.clip(sample(y, damage.a, damage.sigma, pretrained.shared(model), n, seed, method), 0, 1)


def reading(x, model):
    """Return lines that say what is read in the answers (n, h, w, C), and in how many of them."""
    if model == "diffusion-digits":
        from helpers import pretrained

        return _shares("read as", [str(digit) for digit in pretrained.shared("classifier").read(x)])
    from helpers.images import robots
    from helpers.league.robot_tasks import ROBOT

    said, far = robots.read(x)
    lines = [line for name, values in zip(robots.ATTRIBUTES, said.T, strict=True)
             for line in _shares(f"{name}:", [_word(robots, name, value) for value in values])]
    none = int(np.sum(far > ROBOT))
    if none:
        lines.append(f"no robot of the world: {none} of {len(x)} ({none / len(x):.0%}); the nearest was read")
    return lines


def _word(robots, name, value):
    return robots.COLOURS[value] if name == "colour" else robots.PHRASES[name][value]


def _shares(title, words):
    """Return one line with all words, the most frequent first, and how many answers say each."""
    counts = sorted({word: words.count(word) for word in words}.items(), key=lambda one: (-one[1], one[0]))
    return [f"{title} " + ", ".join(f"{word} in {count} of {len(words)} ({count / len(words):.0%})"
                                    for word, count in counts)]


def sheet(y, damage, x):
    """Return the pictures of the sheet by name: y with its lost pixels red, the answers, their mean and their spread.

    The spread is the standard deviation in each pixel, the brightest of which is drawn white.
    """
    spread = x.std(axis=0).mean(axis=-1)
    height, width = y.shape[:2]
    flat = y[..., 0] if y.shape[-1] == 1 else y
    pictures = {"as it came": repair.shown(flat, damage, (height, width))}
    pictures |= {f"answer {k}": one[..., 0] if one.shape[-1] == 1 else one for k, one in enumerate(x, start=1)}
    mean = x.mean(axis=0)
    pictures |= {"mean": mean[..., 0] if mean.shape[-1] == 1 else mean, "spread": spread / max(spread.max(), 1e-6)}
    return {name: one.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1) for name, one in pictures.items()}


def repair_file(photo, output, options, inputs=(), seed=0, say=print):
    """Draw answers to the damaged picture of a file, write the sheet and say what is read in the answers.

    ``options`` is what :func:`read_options` returns, ``inputs`` the other files that must not be overwritten. Nothing
    is written if anything is wrong.
    """
    model, n, damage = options
    validation.seed(seed)
    if photo.is_dir():
        raise ValueError(f"photo {str(photo)!r} is a folder: {model} restores one picture")
    if output.suffix.lower() != ".png":
        raise ValueError(f"output {str(output)!r} must end in .png: it will be a sheet of answers")
    output = repair.check_output(output, photo, inputs)
    y = read_measurement(photo, model, damage)
    x = answers(y, damage, model, n, seed)
    repair.write_sheet(output, sheet(y, damage, x))
    if "mask means" in damage.words:
        say(f"mask: {damage.words['mask means']}")
    for line in reading(x, model):
        say(line)
    say(f"wrote {output}: {n} answers, their mean and their spread")
