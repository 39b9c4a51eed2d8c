"""Restore a picture that came damaged, without a truth: from words such as ``gaussian:1.6`` to the restored file.

``python -m helpers restore`` reads its options with :func:`read_damage`; :func:`repair` restores an array and
:func:`restore_file` what is in a file. Folders are walked by ``helpers.repair_folder``.
"""

import contextlib
import functools
import hashlib
import math
import operator
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import images, restoration, validation, writing
from helpers.files import check_writable, write_whole
from helpers.league import photographs as table
from helpers.operators import Blur, Downsample, Identity, Mask

# The winners of the league of photographs, as book/5-outlook/league-photos.json has them (a test compares). Among its
# lost pixels the task "block" is a wide hole.
BEST = {"denoise": "network", "deblur": "plug-and-play network", "superres": "plug-and-play network",
        "inpaint": "plug-and-play network", "wide hole": "Tikhonov", "tomography": "plug-and-play network"}
WIDE = 4  # pixels: a hole is wide where half of the lost pixels are farther from all known ones
PATIENCE = 2**20  # pixels: where gaps are spread over more, they are filled by a method with a hundredth of the work
FOR_LARGE = "biharmonic"
FOR_FOUND = "total variation"  # with a kernel that was found: what benchmarks/blind.py measures
KERNEL = 31  # pixels: the square in which an unknown kernel is sought
SECONDS = 22e-6  # of plug-and-play with the network for each pixel, on two cores (league-photos.json: 1.43 s for 256²)
MARGIN = 64  # pixels around lost ones that may say something about them: the reach of the network


class Damage(NamedTuple):
    """What happened to a picture: it was made smaller, then blurred, then lost pixels, then got noise."""

    sigma: float | None = None  # in image units; None is estimated from each picture
    blur: Blur | None = None
    known: np.ndarray | None = None  # (H, W), False where a pixel is lost
    scale: int = 1
    words: dict = {}  # noqa: RUF012 - what was said on the command line, for messages; never changed
    unknown: int | None = None  # side of the square in which an unknown kernel is to be sought

    @property
    def a(self):
        """The operator A of the measurement y = A(x) + n."""
        parts = [Mask(self.known)] if self.known is not None else []
        parts += [self.blur] if self.blur is not None else []
        parts += [Downsample(self.scale)] if self.scale > 1 else []
        return functools.reduce(operator.matmul, parts) if parts else Identity()

    @property
    def kinds(self):
        """The kinds of damage, as the league calls them."""
        blurred = self.blur is not None or self.unknown is not None
        found = [kind for kind, there in (("inpaint", self.known is not None), ("deblur", blurred),
                                          ("superres", self.scale > 1)) if there]
        return found or ["denoise"]

    def check(self, shape, name):
        """Raise ``ValueError`` if a picture of this shape cannot have this damage."""
        if self.known is not None and self.known.shape != shape[:2]:
            raise ValueError(f"mask {self.words['mask']!r} has {_size(self.known.shape)} pixels, but {name!r} has "
                             f"{_size(shape)}")
        if self.blur is not None and self.words["blur length"] > min(shape[:2]):
            raise ValueError(f"blur {self.words['blur']!r} is larger than {name!r}, which has {_size(shape)} pixels")
        if self.unknown is not None and self.unknown > min(shape[:2]) // 2:
            raise ValueError(f"blur {self.words['blur']!r}: the square of {self.unknown} pixels for the kernel is "
                             f"longer than half of {name!r}, which has {_size(shape)} pixels")


# --------------------------------------------------------------------------------------------- options


def read_damage(noise=None, blur=None, mask=None, lost=None, scale=1):
    """Return the :class:`Damage` that command-line options describe.

    Parameters
    ----------
    noise : str, optional
        "auto", or σ in grey levels of 255 ("25"), or as a part of the whole range ("25/255"). By default "auto" for a
        picture that has noise or blur alone, and none where pixels are lost or the picture is to become larger.
    blur : str, optional
        "gaussian:WIDTH", "motion:LENGTH:ANGLE", or a picture of the kernel: the image of one point of light. With
        "unknown" or "unknown:SIZE" a kernel of at most so many pixels is sought in each picture.
    mask : path, optional
        A picture that marks the lost pixels.
    lost : "white" or "black", optional
        How it marks them. By default white ones are lost, if they are fewer than the others.
    scale : int
        2, 3 or 4: how many times as many pixels a side shall have.

    Raises
    ------
    ValueError
        For options that cannot be understood, naming the option or file.
    """
    if noise is None and blur is None and mask is None and scale == 1:
        raise ValueError("what is wrong with the picture? Say --noise auto, --blur, --mask, --scale or several of them "
                         "(or --task, to damage a good picture first)")
    if lost is not None and mask is None:
        raise ValueError("lost says which pixels of a mask are lost: add --mask MASK.png")
    if validation.integer(scale, "scale") not in (1, 2, 3, 4):
        raise ValueError(f"scale must be 2, 3 or 4, but {scale} came")
    words, kernel, known, unknown = {}, None, None, None
    if noise is None:
        noise = "auto" if mask is None and scale == 1 else "0"
    sigma = read_noise(noise)
    if blur is not None and str(blur).lower().partition(":")[0] == "unknown":
        if mask is not None or scale != 1:
            raise ValueError(f"blur {blur!r}: a kernel is sought in a whole picture, so it goes with neither --mask "
                             "nor --scale")
        unknown = read_unknown(blur)
        words |= {"blur": str(blur)}
    elif blur is not None:
        kernel, length = read_blur(blur)
        words |= {"blur": str(blur), "blur length": length} | ({"kernel": True} if Path(blur).is_file() else {})
    if mask is not None:
        known, meaning = read_mask(mask, lost)
        words |= {"mask": str(mask), "mask means": meaning}
    return Damage(sigma, kernel, known, int(scale), words, unknown)


def read_noise(text):
    """Return σ in image units from "25" (grey levels of 255) or "25/255", and None from "auto"."""
    if text.strip().lower() == "auto":
        return None
    parts = re.fullmatch(r"\s*([\d.]+(?:e-?\d+)?)\s*(?:/\s*([\d.]+)\s*)?", text, re.IGNORECASE)
    try:
        level, white = float(parts[1]), float(parts[2] or 255)
        sigma = level / white
    except (TypeError, ValueError, ZeroDivisionError):
        raise ValueError(f"noise {text!r} is neither auto nor a number, such as 25: σ in grey levels of 255") from None
    if parts[2] is None and 0 < level < 1:
        raise ValueError(f"noise {text!r} is less than one grey level of 255, which nobody sees. If it is a part of "
                         f"the whole range, say {255 * level:g}; if not, say {text.strip()}/255")
    if sigma > 1:
        raise ValueError(f"noise {text!r} is more than the whole range from black to white")
    return sigma


def read_blur(text):
    """Return the blur with a reflecting border that a word or file describes, and its length in pixels."""
    name, *numbers = str(text).split(":")
    if name.lower() in ("gaussian", "motion"):
        try:
            values = [float(number) for number in numbers]
            if name.lower() == "gaussian":
                (width,) = values
                return Blur.gaussian(_at_most(width), border="reflect"), width
            length, angle = values if len(values) == 2 else (*values, 0.0)
            if length != int(length) or length < 1:
                raise ValueError
            return Blur.motion(int(_at_most(length)), angle, border="reflect"), length
        except (ValueError, TypeError, OverflowError):
            raise ValueError(f"blur {str(text)!r} cannot be understood: say gaussian:WIDTH, such as gaussian:1.6, or "
                             "motion:LENGTH:ANGLE, such as motion:15:30, in pixels and degrees") from None
    if not Path(text).is_file():
        raise ValueError(f"blur {str(text)!r} is neither gaussian:WIDTH nor motion:LENGTH:ANGLE nor the picture file "
                         "of a kernel")
    kernel = flat(_numbers(text), color=False).astype(np.float64)
    if not kernel.any():
        raise ValueError(f"blur: the kernel {str(text)!r} is black everywhere, which would erase the picture")
    return Blur(_trimmed(kernel) / kernel.sum(), border="reflect"), max(kernel.shape)


def read_unknown(text):
    """Return the side of the square in which a kernel is sought, from "unknown" or "unknown:SIZE"."""
    parts = re.fullmatch(r"unknown(?::(\d{1,4}))?", str(text), re.IGNORECASE)
    side = int(parts[1] or KERNEL) if parts else 0
    if side < 3 or side % 2 == 0:
        raise ValueError(f"blur {str(text)!r} cannot be understood: say unknown, or unknown:SIZE with an odd number of "
                         f"pixels from 3 on, such as unknown:{KERNEL}")
    return side


def find_blur(y, damage):
    """Return a damage with the blur that was found in a picture, and a sentence on how sure that is."""
    side = damage.unknown
    kernel = restoration.estimate_kernel(y, side)
    radius = restoration.kernel_radius(kernel)
    found = damage._replace(blur=Blur(kernel.astype(np.float64), border="reflect"), unknown=None)
    if radius < restoration.POINT:
        return damage._replace(unknown=None), (
            f"kernel: nearly a point, of radius {radius:.1f} pixels. As far as its edges tell, the picture is hardly "
            "blurred, so no blur was undone")
    words = f"kernel: of radius {radius:.1f} pixels (root mean square)"
    try:
        agreement = restoration.kernel_agreement(y, side, kernel=kernel)
    except ValueError:
        words += ". How sure that is cannot be said: halves of the picture are too small, or one shows no edge"
    else:
        words += f". Two halves of the picture, each on its own, found kernels that correlate by {agreement:.2f}"
        words += ", where 1 is full agreement" + (": do not rely on it" if agreement < restoration.UNSURE else "")
    if max(kernel[0].max(), kernel[-1].max(), kernel[:, 0].max(), kernel[:, -1].max()) > 0:
        words += f". It touches the border of its square: try a larger one, --blur unknown:{side // 2 * 3 | 1}"
    return found, words


def _numbers(path):
    """Read a mask or a kernel, of which it does not matter how bright white is."""
    try:
        return read(path, color=False)
    except ValueError:
        return read(path, color=False, white=1)  # whatever is not 0 is white, where the file does not say what is


def _at_most(length):
    if not 0 < length <= 10_000:
        raise ValueError
    return length


def _trimmed(kernel):
    """Cut empty margins off a kernel, about its centre (h // 2, w // 2); an even-sided one becomes odd-sided."""
    for axis in (0, 1):
        places = np.flatnonzero(kernel.any(axis=1 - axis)) - kernel.shape[axis] // 2
        half = int(np.abs(places).max())
        kernel = np.take(np.pad(kernel, [(1, 1) if one == axis else (0, 0) for one in (0, 1)]),
                         np.arange(-half, half + 1) + kernel.shape[axis] // 2 + 1, axis=axis)
    return kernel


def read_mask(path, lost=None):
    """Return which pixels are known (H, W), and a sentence that says what the mask was taken to mean."""
    if lost is not None:
        validation.choice(lost, "lost", ("white", "black"))
    levels = flat(_numbers(path), color=False)
    if 0 < levels.max() < 1 / 8:  # numbers such as 0 and 1 of 255: the brightest counts as white
        levels = levels / levels.max()
    grey = float(np.mean((levels > 1 / 8) & (levels < 7 / 8)))
    if grey > 0.2:
        raise ValueError(f"mask {str(path)!r} is grey: {grey:.0%} of its pixels are neither black nor white")
    white = float(np.mean(levels > 1 / 8))
    if lost is None:
        if 0.5 < white < 1:
            raise ValueError(f"mask {str(path)!r}: which pixels are lost, the white ones ({white:.1%}) or the black "
                             f"ones ({1 - white:.1%})? Say --lost white or --lost black")
        lost = "white"
    known = levels <= 1 / 8 if lost == "white" else levels >= 7 / 8  # what is half grey is half lost
    other = "black" if lost == "white" else "white"
    if known.all():
        raise ValueError(f"mask {str(path)!r} has no {lost} pixel, so nothing is lost. If {other} marks what is lost, "
                         f"say --lost {other}")
    if not known.any():
        raise ValueError(f"mask {str(path)!r} is {lost} everywhere: every pixel is lost, and nothing is left to "
                         "restore from")
    return known, f"{1 - known.mean():.2%} of the pixels are lost: those that are {lost} in {path}"


# --------------------------------------------------------------------------------------------- one picture


def able(damage):
    """Return the names of the league's methods that can undo a damage."""
    return [name for name, method in table.METHODS.items() if all(kind in method.kinds for kind in damage.kinds)]


def check_method(method, damage):
    """Raise ``ValueError`` for a method that is unknown or cannot undo a damage."""
    validation.choice(method, "method", table.METHODS)
    if method not in able(damage):
        raise ValueError(f"method {method!r} cannot do {' and '.join(damage.kinds)}: choose from "
                         f"{', '.join(able(damage))}")


def choose(damage, shape):
    """Return the name of the method that the league found best for a damage, for pictures of this shape."""
    if damage.unknown is not None:
        return FOR_FOUND
    if damage.kinds != ["inpaint"] or damage.sigma != 0:
        return BEST[damage.kinds[0]]
    if _depth(damage.known) > WIDE:
        return BEST["wide hole"]
    return BEST["inpaint"] if math.prod(shape) <= PATIENCE else FOR_LARGE


def _depth(known):
    """Return how far half of the lost pixels are, at least, from the nearest known one."""
    from scipy import ndimage

    return float(np.median(ndimage.distance_transform_cdt(~known, metric="chessboard")[~known]))


def noise_of(y, damage, visible=None):
    """Return the noise level of a picture: the one that was told, or an estimate from its known and visible pixels."""
    if damage.sigma is not None:
        return damage.sigma
    seen = np.ones(y.shape[:2], bool) if damage.known is None else damage.known
    if visible is not None:
        seen = seen & visible
    return restoration.estimate_noise(y, None if seen.all() else Mask(seen))


def repair(y, damage, method, sigma):
    """Restore a damaged picture, (H, W) or (H, W, 3), with a method of the league; return it within [0, 1].

    Where nothing but lost pixels is wrong, known pixels stay exactly as they are.
    """
    restore = table.METHODS[method].restore
    if damage.kinds != ["inpaint"] or sigma > 0:
        return np.clip(restore(y, damage.a, sigma), 0, 1)
    window = _window(damage.known)
    known, gap = damage.known[window], y[window]
    x_hat = y.copy()
    keep = known if y.ndim == 2 else known[..., None]
    x_hat[window] = np.where(keep, gap, np.clip(restore(gap, Mask(known), 0.0), 0, 1))
    return x_hat


def _window(known):
    """Return the slices that hold all lost pixels with a margin."""
    rows, columns = np.flatnonzero(~known.all(axis=1)), np.flatnonzero(~known.all(axis=0))
    return tuple(slice(max(int(places[0]) - MARGIN, 0), int(places[-1]) + MARGIN + 1) for places in (rows, columns))


# --------------------------------------------------------------------------------------------- one file


class Wishes(NamedTuple):
    """How files shall be restored: the damage, and what a reader wants beside it."""

    damage: Damage
    method: str | None = None  # None: the league's best
    color: bool | None = None  # None: if the picture has colours
    white: float | None = None  # the level that is white, for files that do not say
    compare: bool = False
    truth: Path | None = None


class Restored(NamedTuple):
    """A restored picture, with what writing it and telling of it needs."""

    x_hat: np.ndarray
    form: writing.Form
    panels: dict  # of the side-by-side sheet, by name; empty if none is wanted
    method: str
    sigma: float
    truth: np.ndarray | None
    notes: tuple = ()  # what should be known of the file


def restore_file(photo, output, wishes, say=None):
    """Read and restore one picture file; return a :class:`Restored`. Nothing is written.

    ``output`` is where it will go: a picture that will not fit into that kind of file is refused before the work.
    ``say`` hears of long waits.
    """
    damage = wishes.damage
    y, form, notes = read(photo, wishes.color, wishes.white, damage)
    damage.check(y.shape, str(photo))
    shape = (damage.scale * y.shape[0], damage.scale * y.shape[1], *y.shape[2:])
    writing.check_fits(output, shape)
    truth = None
    if wishes.truth is not None:
        came = _read_truth(wishes, form)
        truth = flat(came, form.color)
        notes += tuple(f"truth: {note}" for note in came[2])
        if truth.shape[:2] != shape[:2]:
            raise ValueError(f"truth {str(wishes.truth)!r} has {_size(truth.shape)} pixels, but the restored picture "
                             f"has {_size(shape)}")
    sigma = noise_of(y, damage, None if form.alpha is None else form.alpha > 0.99)
    method = wishes.method or choose(damage, y[_window(damage.known)].shape if damage.known is not None else shape)
    wait = SECONDS * math.prod(shape) * (2 if damage.scale > 2 else 1)  # as many steps again
    if say and method == "plug-and-play network" and wait > 60:
        say(f"{method}: about {wait / 60:.0f} minutes on two cores; --method 'total variation' is faster")
    if damage.unknown is not None:
        damage, sure = find_blur(y, damage)
        notes += (sure,)
    x_hat = repair(y, damage, method, sigma)
    panels = {}
    if wishes.compare:
        panels = {"as it came": shown(y, damage, shape), f"restored: {method}": x_hat}
        panels = {name: writing.on_white(x, form.alpha) for name, x in panels.items()}
        panels |= {"truth": truth} if truth is not None else {}
    return Restored(x_hat, form, panels, method, sigma, truth, notes)


def _read_truth(wishes, form):
    """Read the truth: ``white`` is meant for it too, unless its samples have another depth and say what is white."""
    if wishes.white is not None:
        with contextlib.suppress(ValueError):
            came = read(wishes.truth, form.color)
            if came[1].bits != form.bits:
                return came
    return read(wishes.truth, form.color, wishes.white)


def repair_file(photo, output, wishes, inputs=None, force=False, say=print):
    """Restore one picture file into another and say what was done; nothing is written if anything is wrong.

    ``inputs`` names the other files that must not be overwritten (mask, kernel); the original is with ``force`` only.
    """
    others = [*(inputs or {}).values(), wishes.truth]
    output = check_output(output, photo, others, wishes.compare, force)
    restored = restore_file(photo, output, wishes, say)
    level = f"{255 * restored.sigma:.2f}/255"
    if "mask means" in wishes.damage.words:
        say(f"mask: {wishes.damage.words['mask means']}")
    if wishes.damage.sigma is None:
        say(f"noise: σ = {level}, estimated")
    _write(output, restored, say)
    if restored.truth is not None:
        psnr = writing.psnr_of_file(restored.truth, output, restored.form)
        say(f"{' and '.join(wishes.damage.kinds)}, {restored.method}: {psnr:.2f} dB from the truth")
    else:
        say(f"{' and '.join(wishes.damage.kinds)}: {restored.method}")
    say(f"wrote {output}")


def play_file(photo, output, task, method=None, color=None, white=None, compare=False, force=False, seed=0, say=print):
    """Damage a good picture as a task of the league does, restore it, and say how near the truth the file came."""
    kind = table.TASKS[validation.choice(task, "task", table.TASKS)].kind
    method = BEST["wide hole" if task == "block" else kind] if method is None else method
    validation.choice(method, "method", table.METHODS)
    if method not in table.able(task):
        raise ValueError(f"method {method!r} cannot do {task}: choose from {', '.join(table.able(task))}")
    validation.seed(seed)
    if Path(photo).is_dir():
        raise ValueError(f"photo {str(photo)!r} is a folder: a task damages one picture; for many there is the league")
    output = check_output(output, photo, (), compare, force)
    came = read(photo, color, white)
    form = came[1]._replace(alpha=None)
    x, y, operator, sigma = table.damage(flat(came, form.color), task, seed)
    writing.check_fits(output, x.shape)
    x_hat = np.clip(table.METHODS[method].restore(y, operator, sigma), 0, 1)
    seen = table.METHODS["as it came"]
    panels = {"damaged": seen.restore(y, operator, sigma)} if compare and kind in seen.kinds else {}
    panels |= {f"restored: {method}": x_hat, "truth": x} if compare else {}
    _write(output, Restored(x_hat, form, panels, method, sigma, x, came[2]), say)
    say(f"{task}, {method}: {writing.psnr_of_file(x, output, form):.2f} dB from the truth")
    say(f"wrote {output}")


def _write(output, restored, say):
    if restored.panels:
        write_sheet(sheet_of(output), restored.panels)
        say(f"wrote {sheet_of(output)}")
    writing.write_picture(output, restored.x_hat, restored.form)
    for note in (*restored.notes, writing.lost(output, restored.form)):
        if note:
            say(f"note: {note}")


def read(path, color=None, white=None, damage=None):
    """Read a picture; return it as (H, W) or (H, W, 3), how it is to be written, and notes for the reader.

    ``color`` says whether it is to have colours, None: if it has any. Three equal channels come as one, which is
    restored once and written thrice. What stands under lost pixels is nobody's business. ``white`` is the level that
    is white, where the file does not say.
    """
    known = None if damage is None else damage.known
    try:
        picture = images.read_picture(path, white, known)
    except ValueError:
        if known is None:
            raise
        damage.check(images.read_picture(path, white).x.shape, str(path))  # a mask of another size: in our words
        raise
    x = picture.x
    form = writing.Form(x.ndim == 3 if color is None else color, picture.bits, picture.alpha)
    if x.ndim == 3 and not form.color:
        x = x @ np.array([0.299, 0.587, 0.114], np.float32)  # as read_photo
    elif x.ndim == 3 and np.ptp(x, axis=2).max() == 0:
        x = x[..., 0]
    return x, form, picture.notes


def flat(came, color):
    """Return what was read as it is seen on white: (H, W, 3) in colour, else (H, W)."""
    x, form, _ = came
    x = np.repeat(x[..., None], 3, axis=2) if color and x.ndim == 2 else x
    return writing.on_white(x, form.alpha)


def check_output(output, photo, others=(), compare=False, force=False):
    """Return where the restored picture goes, links followed; raise ``ValueError`` if it must not or cannot go there.

    An original is overwritten with ``force`` only, and a mask, kernel or truth never.
    """
    if not Path(photo).exists():
        raise ValueError(f"photo {str(photo)!r}: there is no such file or folder")
    writing.kind_of(output)
    for path, what in [(photo, "picture itself"), *((other, "input") for other in others)]:
        for target in [output, *([sheet_of(output)] if compare else [])]:
            if path is not None and same_file(target, path) and not (force and what == "picture itself"
                                                                     and target == output):
                hint = ": an original is overwritten only with --force" if what == "picture itself" else ""
                raise ValueError(f"output {str(target)!r} is the {what} {str(path)!r}{hint}")
    output = Path(output)
    if output.is_symlink():  # it stays a link, and what it points to is replaced
        output = Path(os.path.realpath(output))
    check_writable(output)
    return output


def same_file(one, other):
    """Say whether two names, links or not, belong to one file that is there."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def digest(path):
    """Return the SHA-256 of a file, or None for no path."""
    return None if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _size(shape):
    return f"{shape[1]} × {shape[0]}"


# --------------------------------------------------------------------------------------------- the sheet


def sheet_of(output):
    """Return the name of the side-by-side sheet of an output file."""
    output = Path(output)
    return output.with_name(output.stem + "-compare.png")


def shown(y, damage, shape):
    """Return the damaged picture as the sheet shows it: as large as the restored one, its lost pixels red."""
    y = np.repeat(y[..., None], 3, axis=2) if y.ndim == 2 else y
    if damage.known is not None:
        y = np.where(damage.known[..., None], y, np.array([0.84, 0.15, 0.16], y.dtype))
    return y.repeat(damage.scale, axis=0).repeat(damage.scale, axis=1)[: shape[0], : shape[1]]


def write_sheet(path, panels):
    """Write pictures of one size side by side, each under its name, as a PNG file.

    Where a name is wider than its picture, the pictures move apart.
    """
    from PIL import Image, ImageDraw, ImageFont

    pictures = [np.repeat(x[..., None], 3, axis=2) if x.ndim == 2 else x for x in panels.values()]
    height, width = pictures[0].shape[:2]
    gap, line = 8, max(min(width // 16, 40), 11)
    font = ImageFont.load_default(line)
    step = max(width, *(math.ceil(font.getlength(name)) for name in panels)) + gap
    sheet = Image.new("RGB", (len(pictures) * step - gap, height + 2 * line), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (name, picture) in enumerate(zip(panels, pictures, strict=True)):
        left = i * step
        draw.text((left, line // 3), name, fill="black", font=font)
        sheet.paste(Image.fromarray(np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)), (left, 2 * line))
    write_whole(path, sheet.save)
