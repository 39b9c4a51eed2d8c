"""The league of photographs: damages, methods, and every method on every damage.

A task says how a picture is damaged. A method enters by one line of ``METHODS``. scikit-image's methods are rows too.
"""

import contextlib
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import NamedTuple

import numpy as np

from helpers import images, metrics, pretrained, restoration, validation
from helpers.league import peers
from helpers.league.record import LeftOut, Unheard, write_rows
from helpers.operators import Blur, Composition, Downsample, Identity, Mask, Operator, Radon, measure
from helpers.workers import Alone, Failed, in_order

# --------------------------------------------------------------------------------------------- tasks


class Task(NamedTuple):
    """One damage: what it does, its operator for a picture of a given shape, and its noise level."""

    what: str
    operator: Callable[[tuple, np.random.Generator], Operator]
    sigma: float
    kind: str  # methods name the kinds of task that they can do


def _missing(known):
    return lambda shape, rng: Mask.random(shape[:2], known, rng)


def _hole(shape, rng):
    return Mask.block(shape[:2], max(1, min(40, min(shape[:2]) // 2)))  # in tiny pictures, half of the shorter side


def _soft_lens(shape, rng):
    return Blur.gaussian(1.6)


def _no_damage(shape, rng):
    return Identity()


TASKS = {
    "denoise15": Task("noise σ = 15/255", _no_damage, 15 / 255, "denoise"),
    "denoise25": Task("noise σ = 25/255", _no_damage, 25 / 255, "denoise"),
    "denoise50": Task("noise σ = 50/255", _no_damage, 50 / 255, "denoise"),
    "deblur": Task("Gaussian blur 1.6, noise σ = 2.55/255", _soft_lens, 2.55 / 255, "deblur"),
    "missing50": Task("half of the pixels lost", _missing(0.5), 0.0, "inpaint"),
    "missing80": Task("80 % of the pixels lost", _missing(0.2), 0.0, "inpaint"),
    "block": Task("a hole of 40 × 40 pixels", _hole, 0.0, "inpaint"),
    "superres2": Task("the mean of each 2 × 2 square", lambda shape, rng: Downsample(2), 0.0, "superres"),
    "tomography": Task("60 projections", lambda shape, rng: Radon.sparse_view(shape[0], 60), 0.0, "tomography"),
}
KINDS = ("denoise", "deblur", "inpaint", "superres", "tomography")


def damage(x, task, seed=0):
    """Damage a picture as a task does: return ``(x, y, operator, sigma)``, with x cropped where the task needs it.

    ``superres2`` needs even sides, ``tomography`` a square: what stands over at the edges is cut off. The same seed
    damages pictures of one shape in the same way.
    """
    x = validation.image(x, "x")
    name, task = task, TASKS[validation.choice(task, "task", TASKS)]
    height, width = played_shape(x.shape, name)
    if not height or not width:
        raise ValueError(f"x has shape {x.shape}, too small for {task.what}")
    top, left = (x.shape[0] - height) // 2, (x.shape[1] - width) // 2
    x = x[top : top + height, left : left + width]
    rng = np.random.default_rng(validation.seed(seed))
    operator = task.operator(x.shape, rng)
    return x, measure(x, operator, task.sigma, rng), operator, task.sigma


def played_shape(shape, task):
    """Return height and width of the part of a picture that takes part in a task."""
    height, width = shape[:2]
    if TASKS[task].kind == "superres":
        return height // 2 * 2, width // 2 * 2
    if TASKS[task].kind == "tomography":
        return min(height, width), min(height, width)
    return height, width


# --------------------------------------------------------------------------------------------- methods


class Method(NamedTuple):
    """One row of the league: ``restore(y, operator, sigma) -> x_hat`` and the kinds of task that it can do."""

    restore: Callable
    kinds: tuple


def _as_it_came(y, operator, sigma):
    """Do nothing: what a method has to beat. A small picture is enlarged by repeating its pixels."""
    return operator.factor**2 * operator.adjoint(y) if isinstance(operator, Downsample) else y


def _patches(y, operator, sigma):
    return restoration.plug_and_play(y, operator, sigma, denoiser="dct_shrinkage")


# The brightness of a pixel and two contrasts of its colours, (R - B) / √2 and (R - 2 G + B) / √6: what the channels
# share stands in one plane, and white noise stays white (Dabov et al. 2007, doi:10.1109/ICIP.2007.4378954).
OPPONENT = np.float32([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt(np.float32([[3], [2], [6]]))
NO_COLOUR = np.float32([0, 0.5, 0.5])  # a contrast of nothing is shown as a middle grey
# On thirty whole photographs of BSDS500 that its training left out the network of colours leads from here on, by less
# than 0.1 dB. On reduced ones, as photos("train") are, contrasts lead at every level, the more the less noise there is.
COLOUR_FROM = 15 / 255


def by_contrasts(denoise):
    """Return a denoiser of colour pictures (H, W, 3) made of one of grey ones, which works on brightness and contrasts
    instead of red, green and blue."""
    return lambda y, sigma: (denoise(y @ OPPONENT.T + NO_COLOUR, sigma) - NO_COLOUR) @ OPPONENT


def denoiser(y):
    """Return the trained denoiser for a picture like y: where colours have much noise, they have a network of their
    own; the network of grey pictures works on one plane after the other, of brightness and of contrasts."""
    grey = pretrained.shared("denoiser")
    if y.shape[2:] != (3,):
        return grey
    colours, contrasts = pretrained.shared("denoiser-colour"), by_contrasts(grey)
    return lambda y, sigma: (colours if sigma >= COLOUR_FROM else contrasts)(y, sigma)


def _network(y, operator, sigma):
    return denoiser(y)(y, sigma)


def _network_prior(y, operator, sigma):
    settings = FINE if _factor(operator) > 2 else {}
    return restoration.plug_and_play(y, operator, sigma, denoiser=denoiser(y), **settings)


def _factor(operator):
    """Return how many times larger than its measurement a picture is, from side to side."""
    if isinstance(operator, Composition):
        return _factor(operator.outer) * _factor(operator.inner)
    return operator.factor if isinstance(operator, Downsample) else 1


# Plug-and-play for × 3 and × 4, which no task of the league has; chosen on photos("train") at × 4.
FINE = {"least_noise": 1 / 255, "turns": True, "iterations": 40}


METHODS = {
    "as it came": Method(_as_it_came, ("denoise", "deblur", "inpaint", "superres")),
    "least squares": Method(restoration.least_squares, ("deblur", "superres", "tomography")),
    "Tikhonov": Method(restoration.tikhonov, KINDS),
    "Wiener": Method(restoration.wiener, KINDS),
    "Richardson-Lucy": Method(restoration.richardson_lucy, ("deblur", "superres", "tomography")),
    "total variation": Method(restoration.total_variation, KINDS),
    "biharmonic": Method(restoration.biharmonic, ("inpaint",)),
    "wavelet shrinkage": Method(restoration.wavelet_shrinkage, ("denoise",)),
    "non-local means": Method(restoration.non_local_means, ("denoise",)),
    "DCT shrinkage": Method(restoration.dct_shrinkage, ("denoise",)),
    "plug-and-play DCT": Method(_patches, ("deblur", "inpaint", "superres", "tomography")),
    "network": Method(_network, ("denoise",)),
    "plug-and-play network": Method(_network_prior, ("deblur", "inpaint", "superres", "tomography")),
    "skimage TV": Method(peers.tv_chambolle, ("denoise",)),
    "skimage wavelet": Method(peers.wavelet, ("denoise",)),
    "skimage NL-means": Method(peers.nl_means, ("denoise",)),
    "skimage Wiener": Method(peers.wiener, ("deblur",)),
    "skimage unsupervised Wiener": Method(peers.unsupervised_wiener, ("deblur",)),
    "skimage biharmonic": Method(peers.biharmonic, ("inpaint",)),
    "Pillow bicubic": Method(peers.bicubic, ("superres",)),
    "skimage FBP": Method(peers.filtered_back_projection, ("tomography",)),
}


def able(task):
    """Return the names of the methods that can do a task."""
    kind = TASKS[validation.choice(task, "task", TASKS)].kind
    return [name for name, method in METHODS.items() if kind in method.kinds]


# --------------------------------------------------------------------------------------------- the run


class Row(NamedTuple):
    """One method on one picture with one damage. SSIM is NaN for pictures with a side under 11 pixels."""

    task: str
    method: str
    image: str
    psnr: float
    ssim: float
    seconds: float


def play(x, task, method, image="", seed=0):
    """Damage one picture, restore it with one method, and return its :class:`Row`."""
    validation.choice(method, "method", METHODS)
    x, y, operator, sigma = damage(x, task, seed)
    started = time.perf_counter()
    x_hat = METHODS[method].restore(y, operator, sigma)
    seconds = time.perf_counter() - started
    similarity = metrics.ssim(x, x_hat) if min(x.shape[:2]) >= 11 else float("nan")
    return Row(task, method, image, metrics.psnr(x, x_hat), similarity, seconds)


def run(pictures, tasks=None, methods=None, seed=0, progress=False, each=None, skip=None, tell=None, crew=None):
    """Play every method that can do it on every task and picture; return the list of rows.

    Parameters
    ----------
    pictures : dict from name to image
    tasks, methods : lists of names, optional
        Keys of ``TASKS`` and ``METHODS``; by default all.
    seed : int
    progress : bool
        Show a progress bar.
    each : function (Row), optional
        Called with each row as soon as it is there.
    skip : function (LeftOut), optional
        Called for a picture that a task or a method refuses or fails at; the others go on. By default the error is
        raised.
    tell : function (seconds), optional
        Called before the start with the time that all of it will take: each method is tried on 64 × 64 pixels, and
        its time is taken to grow as their number does.
    crew : optional
        Who plays, of ``helpers.workers.hands``; by default this process. Rows and their order are the same, seconds
        are those of the process that played.

    Raises
    ------
    ValueError
        If no picture was given, no method can do the tasks, or no picture could take part.
    """
    from tqdm import tqdm

    if not isinstance(pictures, dict) or not pictures:
        raise ValueError("pictures must be a dictionary from name to image, with at least one entry")
    tasks = list(dict.fromkeys(validation.choice(task, "task", TASKS) for task in (tasks or TASKS)))
    chosen = list(dict.fromkeys(validation.choice(method, "method", METHODS) for method in (methods or METHODS)))
    games = [(task, method) for task in tasks for method in chosen if method in able(task)]
    if not games:
        raise ValueError(f"method: none of {', '.join(chosen)} can do {', '.join(tasks)}")
    crew = crew or Alone()
    with tqdm(total=len(games), disable=not progress, unit="method", desc="a trial on 64 × 64 pixels",
              leave=False, file=Unheard()) as bar:
        largest = max(pictures.values(), key=lambda x: min(np.shape(x)[:2]))
        pace = 0.0
        for _, seconds in crew.map(_pace, ((largest[:64, :64], game, seed) for game in games)):
            pace += 0.0 if isinstance(seconds, Failed) else seconds  # it will be told when the picture is played
            bar.update()
    if tell is not None:
        tell(pace * sum(x[..., :1].size for x in map(np.atleast_3d, pictures.values())) / len(crew))
    rows, refused = [], None
    plan = [(game, name) for game in games for name in pictures]
    with tqdm(total=len(plan), disable=not progress, unit="picture", file=Unheard()) as bar:

        def jobs():
            for (task, method), name in plan:
                bar.set_description(f"{task}: {method}")
                yield pictures[name], task, method, name, seed

        for place, row in in_order(crew.map(_play_warm, jobs())):
            (task, method), name = plan[place]
            if not isinstance(row, Failed):
                rows.append(row)
                if each is not None:
                    each(row)
            elif skip is None:
                raise row.error
            else:
                whose = method if all(played_shape(np.shape(pictures[name]), task)) else ""
                refused = LeftOut(name, task, _one_line(row.error), whose)
                skip(refused)
            bar.update()
    if not rows:
        raise ValueError(f"images: no picture can take part; {refused.image}: {refused.reason}")
    return rows


_met = set()  # games that this process has played: in the first, libraries load, which is not the method's time


def _pace(some, game, seed):
    """Return seconds a pixel of one method on one task, from the second of two trials."""
    _met.add(game)
    play(some, *game, seed=seed)
    started = time.perf_counter()
    play(some, *game, seed=seed)
    return (time.perf_counter() - started) / (some.shape[0] * some.shape[1])


def _play_warm(x, task, method, image, seed):
    """Play one picture, after a small trial if this process has not met the game."""
    if (task, method) not in _met:
        _met.add((task, method))
        with contextlib.suppress(Exception):  # it will be told in a moment
            play(x[:64, :64], task, method, seed=seed)
    return play(x, task, method, image, seed)


def _one_line(error):
    said, kind = " ".join(str(error).split()), type(error).__name__
    return said if said and isinstance(error, (ValueError, TypeError)) else f"{kind}: {said}".removesuffix(": ")


def summarise(rows):
    """Return one dictionary for each task and method: mean PSNR and SSIM with 95 % intervals, median seconds.

    ``pictures`` says over how many pictures the PSNR is a mean, ``ssim pictures`` over how many the SSIM is: those
    with a side under 11 pixels have none. A PSNR above 100 dB counts as 100. The best PSNR of a task comes first.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row.task, row.method), []).append(row)
    table = []
    for (task, method), group in groups.items():
        similar = [row.ssim for row in group if not np.isnan(row.ssim)]
        nothing = metrics.Interval(float("nan"), float("nan"), float("nan"))
        table.append({
            "task": task, "method": method, "pictures": len(group),
            "psnr": metrics.bootstrap_interval([min(row.psnr, 100.0) for row in group]),
            "ssim": metrics.bootstrap_interval(similar) if similar else nothing,
            "ssim pictures": len(similar),
            "seconds": float(np.median([row.seconds for row in group])),
        })
    order = list(TASKS)
    return sorted(table, key=lambda line: (order.index(line["task"]), -line["psnr"].mean))


def about(seed=0):
    """Return what a file of rows says of the run: its seed, and the versions of the packages."""
    packages = ("numpy", "scipy", "scikit-image", "PyWavelets", "pillow")
    return {"seed": seed, "versions": {"python": python_version()} | {name: version(name) for name in packages}}


def save(rows, path, seed=0):
    """Write the rows as JSON, with the versions and the seed of the run: all of it, or nothing."""
    write_rows(rows, path, about(seed))


def notes(pictures, tasks=None):
    """Return sentences on what of the pictures took part, where it was not all of them."""
    found = []
    for task in tasks or TASKS:
        cut = [name for name, x in pictures.items() if played_shape(x.shape, task) != x.shape[:2]]
        part = {"superres": "even sides", "tomography": "the middle square"}.get(TASKS[task].kind)
        if cut:
            found.append(f"{task}: only {part} of {_listed(cut)} took part")
    return found


def _listed(names, most=3):
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def folder_pictures(folder, longest=None, skip=None):
    """Read every picture of a folder as grey images, sorted by name.

    Parameters
    ----------
    folder : path
    longest : int, optional
        Larger pictures are reduced until their longer side has so many pixels.
    skip : function (LeftOut), optional
        Called for each file that cannot be read as a picture; hidden files and folders are nobody's business.

    Raises
    ------
    ValueError
        If the folder is missing or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"images {str(folder)!r}: there is no such folder")
    pictures, why = {}, ""
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith("."):
            continue
        try:
            if not path.is_file():  # a link to nowhere, a pipe
                raise ValueError("is no file")
            pictures[path.name] = images.read_photo(path, longest=longest)
        except (ValueError, MemoryError) as error:
            left_out = LeftOut(path.name, "", _one_line(error).removeprefix(f"path {str(path)!r} "))
            why = why or f"; {left_out.image}: {left_out.reason}"
            if skip is not None:
                skip(left_out)
    if not folder.is_dir():
        raise ValueError(f"images {str(folder)!r}: the folder has vanished while it was read")
    if not pictures:
        raise ValueError(f"images {str(folder)!r}: no picture in this folder can be read{why}")
    return pictures
