"""Exercises of the page "Restore a photo of your own"."""

import shlex

import numpy as np
from typer.main import get_command

from helpers import league
from helpers.__main__ import app
from helpers.exercises.answers import Mistake, array, call, choice, close, number
from helpers.metrics import psnr


def reduced(answer):
    """Understand: the noise level after the mean of 2 × 2 pixels."""
    level = number(answer, "the level")
    if close(level, 10, 0.01):
        return "Half. To halve the noise, average four pixels; for a tenth you would need a hundred."
    if close(level, 5, 0.01):
        raise Mistake("The variance falls to a quarter, and the level is its root.", "Take the square root of 1/4.")
    if close(level, 20, 0.01):
        raise Mistake("Averaging reduces independent noise.", "The four noises partly cancel.")
    if close(level, 40, 0.01):
        raise Mistake("That is the sum of four pixels, not their mean.", "Divide by four.")
    if close(level, 10 / 255, 0.01):
        raise Mistake("The level is wanted in units of 1/255.", "Multiply by 255.")
    raise Mistake(f"{level:g} is not the new level.", "Average random numbers in fours and look at np.std.")


def truth(answer):
    """Understand: what can be computed without a truth."""
    picked = choice(answer, "abc")
    if picked == "c":
        return "And compare it with the noise level: much more or much less is a warning."
    if picked == "a":
        raise Mistake("PSNR compares the restoration with the truth.", "Do you have the truth?")
    raise Mistake("SSIM looks at structure, but it needs the structure of the truth too.",
                  "One of the three needs y and the restoration alone.")


def words(answer):
    """Change: the command for a grainy print with dust on it, which is too small."""
    if not isinstance(answer, str):
        raise Mistake("A line of text is wanted.", 'Between quotation marks: "restore print.png …".')
    parts = shlex.split(answer.removeprefix("python -m helpers").strip())
    if parts[:1] != ["restore"]:
        raise Mistake("The line does not begin with the name of the command.", "restore print.png …")
    try:
        said = get_command(app).commands["restore"].make_context("restore", parts[1:]).params
    except Exception as error:  # as the terminal would say it
        reason = error.format_message() if hasattr(error, "format_message") else str(error)
        raise Mistake(f"The command refuses this line: {reason}", "Look at the table of what you can say.") from None
    if [str(said["photo"]), str(said["output"])] != ["print.png", "large.png"]:
        raise Mistake(f"This reads {said['photo']} and writes {said['output']}.",
                      "It should read print.png and write large.png (-o).")
    if said["noise"] is None:
        raise Mistake("The grain would be taken for picture: with a mask or a scale, none is expected.",
                      "Say that there is noise, of a strength to be found out.")
    if said["noise"].strip().lower() != "auto":
        raise Mistake(f"The strength of the grain is unknown, but the line says {said['noise']}.", "--noise auto")
    if str(said["mask"]) != "dust.png":
        raise Mistake("The dust is not given as a mask.", "--mask dust.png")
    if said["lost"] is None:
        raise Mistake("The command would ask which pixels of the mask are lost: most of it is white.", "--lost …")
    if said["lost"] != "black":
        raise Mistake("This keeps the dust, and loses all the rest.", "What did you mark, and in which colour?")
    if said["scale"] != 2:
        raise Mistake(f"The picture would be {said['scale']} times as wide, not twice.", "--scale 2")
    if not said["compare"]:
        raise Mistake("No sheet shows before and after.", "One word more asks for it.")
    others = [name for name in ("blur", "task", "method", "color", "white", "truth", "force") if said[name]]
    if others:
        raise Mistake(f"Nobody asked for --{others[0]}.", "Leave it out.")
    return "Dust, size and grain are undone together, by the method that the league found best for the dust."


def shots(answer):
    """Change: the noise level of one picture from two shots."""
    rng = np.random.default_rng(0)
    scene = rng.random((120, 160))
    sigma = 0.07
    first, second = (scene + sigma * rng.standard_normal(scene.shape) for _ in range(2))
    found = number(call(answer, first, second), "the noise level")
    if close(found, sigma, 0.02):
        return "No texture was in the way, since both shots have the same."
    if close(found, sigma * np.sqrt(2), 0.02):
        raise Mistake("This is the noise of the difference, and two shots made it.", "Divide by the root of two.")
    if close(found, sigma / np.sqrt(2), 0.02):
        raise Mistake("You divided by two, but variances add, not levels.", "Divide the level by the root of two.")
    if close(found, 2 * sigma**2, 0.05) or close(found, sigma**2, 0.05):
        raise Mistake("This is a variance.", "Take the root.")
    if close(found, first.std(), 0.05):
        raise Mistake("The scene itself varies, and you measured that too.", "Subtract one shot from the other first.")
    raise Mistake(f"{found:.3f} is not the level {sigma}, which made the two shots.", "Begin with first - second.")


def tiles(answer):
    """Stretch: denoise in tiles with a margin."""
    y = np.random.default_rng(0).random((37, 50))

    def denoise(part):  # a mean over 5 × 5 pixels, mirrored at the borders
        framed = np.pad(part, 2, mode="symmetric")
        return sum(framed[i : i + part.shape[0], j : j + part.shape[1]] for i in range(5) for j in range(5)) / 25

    def by_tiles(margin):
        whole = np.empty_like(y)
        for i in range(0, y.shape[0], 16):
            for j in range(0, y.shape[1], 16):
                top, left = max(i - margin, 0), max(j - margin, 0)
                part = denoise(y[top : i + 16 + margin, left : j + 16 + margin])
                whole[i : i + 16, j : j + 16] = part[i - top : i - top + 16, j - left : j - left + 16]
        return whole

    found = array(call(answer, y, denoise, 16, 2), y.shape, "the result")
    if close(found, denoise(y), 1e-6):
        return "The same as in one piece, with the memory of one tile."
    if close(found, y, 1e-6):
        raise Mistake("Nothing was denoised.", "Call denoise for each tile.")
    if close(found, by_tiles(0), 1e-6):
        raise Mistake("There are seams: each tile was denoised without its margin.",
                      "Cut margin pixels more on each side.")
    if close(found[:16, :16], denoise(y)[:16, :16], 1e-6):
        raise Mistake("The first tile is right, and a later one is not.",
                      "A tile does not begin at row 0 of the piece that you cut: skip its margin.")
    raise Mistake("The result differs from denoising in one piece.",
                  "Take one tile, and compare it with denoise(y) at the same place.")


def report(answer):
    """Project: a restoration of the reader's own photograph, measured again."""
    names = {"picture", "task", "first", "second", "gain", "misfit", "worst"}
    if not isinstance(answer, dict) or set(answer) != names:
        raise Mistake(f"A dictionary with the seven entries {', '.join(sorted(names))} is wanted.",
                      "The comment in the cell shows its form.")
    x = array(answer["picture"], name="the picture").astype(np.float32)
    if x.ndim != 2 or min(x.shape) < 96 or x.min() < 0 or x.max() > 1:
        raise Mistake(f"A grey picture of at least 96 × 96 pixels between 0 and 1 is wanted; one of shape {x.shape}, "
                      f"from {x.min():.3g} to {x.max():.3g}, came.", "x = read_photo(path, longest=256)")
    if x.std() < 0.02:
        raise Mistake("This picture is nearly of one colour: anything restores it.", "Take one with things in it.")
    task = choice(answer["task"], league.TASKS, "the task")
    able = {name.lower(): name for name in league.able(task)}
    first, second = (able[choice(answer[key], able, f"the {key} method")] for key in ("first", "second"))
    if first == second:
        raise Mistake("A method is compared with itself.", "Choose two.")
    truth, y, operator, sigma = league.damage(x, task)
    found = {name: league.METHODS[name].restore(y, operator, sigma) for name in (first, second)}
    score = {name: psnr(truth, np.clip(x_hat, 0, 1)) for name, x_hat in found.items()}
    gain, right = number(answer["gain"], "the gain"), score[first] - score[second]
    if abs(gain + right) < 0.02 < abs(gain - right):
        raise Mistake("The sign is reversed: this is second minus first.", "Subtract the PSNR of the second.")
    if abs(gain - right) > 0.02:
        raise Mistake(f"We measure a gain of {right:+.2f} dB; the report says {gain:+.2f}.",
                      "Clip both to [0, 1], and compare with the truth that league.damage returns.")
    misfit, wanted = number(answer["misfit"], "the misfit"), np.sqrt(np.mean((operator.forward(found[first]) - y) ** 2))
    if abs(misfit - wanted) > 0.01 * wanted + 1e-6:
        raise Mistake(f"A misfit of {wanted:.4g} comes out here, and the report says {misfit:.4g}.",
                      "np.sqrt(np.mean((operator.forward(x_hat) - y) ** 2)), without clipping.")
    error = (np.clip(found[first], 0, 1) - truth) ** 2
    height, width = (side // 4 for side in truth.shape)
    tiles = error[: 4 * height, : 4 * width].reshape(4, height, 4, width).mean(axis=(1, 3))
    worst = array(answer["worst"], (2,), "the worst tile")
    if not np.array_equal(worst, np.rint(worst)) or worst.min() < 0 or worst.max() > 3:
        raise Mistake(f"{answer['worst']} is no tile.", "Row and column are whole numbers from 0 to 3.")
    if tiles[tuple(worst.astype(int))] < 0.999 * tiles.max():
        raise Mistake("Another tile has a larger error.", "np.unravel_index(tiles.argmax(), tiles.shape)")
    noise = f", where the noise is {sigma:.3g}" if sigma else ", without any noise"
    return (f"All three can be repeated: {right:+.2f} dB, a misfit of {misfit:.3g}{noise}. "
            "What a tile lost or invented, you see only beside the truth.")
