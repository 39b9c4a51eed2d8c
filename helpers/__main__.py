"""The course on the command line: ``python -m helpers league`` and ``python -m helpers restore``."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Restore pictures, and measure every method of the course on the same damage.")


@app.command()
def league(
    images: Annotated[Path | None, typer.Option(help="A folder of your own pictures.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="A damage; may be given again. Default: all.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="A method; may be given again. Default: all.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the rows to this file.")] = None,
    seed: int = 0,
):
    """Play every method on every damage: PSNR and SSIM with 95 % intervals, seconds, peak memory."""
    from helpers import images as shipped
    from helpers import league as table

    with _plainly():
        pictures = table.folder_pictures(images) if images else shipped.photos("test")
        if json is not None:
            table.write_whole(json, lambda path: path.touch())  # a path that cannot be written is told at once
        rows = table.run(pictures, task, method, seed, progress=True)
        _print_table(table.summarise(rows))
        if json is not None:
            table.save(rows, json, seed)


@app.command()
def restore(
    photo: Annotated[Path, typer.Argument(help="A picture file.")],
    task: Annotated[str, typer.Option(help="The damage.")],
    method: Annotated[str, typer.Option(help="The method.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the restored picture goes.")],
    damaged: Annotated[bool, typer.Option(help="The picture is damaged already: restore it as it is.")] = False,
    color: Annotated[bool, typer.Option(help="Keep the colours.")] = False,
    seed: int = 0,
):
    """Damage one picture of yours, restore it, and say how near the truth it came; or restore a damaged one."""
    import numpy as np
    from PIL import Image

    from helpers import league as table
    from helpers import metrics, validation
    from helpers.images import read_photo

    with _plainly():
        validation.choice(task, "task", table.TASKS)
        validation.choice(method, "method", table.METHODS)
        if method not in table.able(task):
            raise ValueError(f"method {method!r} cannot do {task}: choose from {', '.join(table.able(task))}")
        if output.suffix.lower() not in Image.registered_extensions():
            raise ValueError(f"output {str(output)!r}: what kind of picture is {output.suffix!r}? Try .png")
        x = read_photo(photo, color=color)
        if damaged:
            if table.TASKS[task].kind not in ("denoise", "deblur", "superres"):
                raise ValueError(f"damaged: for {task} nobody knows what is lost from the picture alone; only noise, "
                                 "blur and small pictures can be restored as they are")
            y, sigma = x, table.TASKS[task].sigma
            operator = table.TASKS[task].operator(x.shape, np.random.default_rng(seed))
        else:
            x, y, operator, sigma = table.damage(x, task, seed)
        x_hat = np.clip(table.METHODS[method].restore(y, operator, sigma), 0, 1)
        picture = Image.fromarray(np.rint(255 * x_hat).astype(np.uint8))
        table.write_whole(output, picture.save)
        if not damaged:
            print(f"{task}, {method}: {metrics.psnr(x, x_hat):.2f} dB from the truth")
        print(f"wrote {output}")


def _print_table(lines):
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name in ("task", "method"):
        table.add_column(name, no_wrap=True)
    for name in ("PSNR (dB)", "95 %", "SSIM", "95 %", "seconds", "peak MB"):
        table.add_column(name, justify="right", no_wrap=True)
    previous = None
    for line in lines:
        psnr, ssim = line["psnr"], line["ssim"]
        if previous not in (None, line["task"]):
            table.add_section()
        table.add_row(
            line["task"] if line["task"] != previous else "", line["method"],
            f"{psnr.mean:.2f}", f"{psnr.low:.2f} … {psnr.high:.2f}",
            f"{ssim.mean:.3f}", f"{ssim.low:.3f} … {ssim.high:.3f}",
            f"{line['seconds']:.3f}", f"{line['peak_mb']:.0f}",
        )
        previous = line["task"]
    Console(width=None if Console().is_terminal else 120).print(table)


class _plainly:
    """Turn a refused argument or a full memory into one line on standard error and exit status 2."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is not None and issubclass(kind, (ValueError, TypeError, MemoryError)):
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2)


if __name__ == "__main__":
    app(prog_name="python -m helpers")
