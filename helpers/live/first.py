"""The first states of the panels: figures that a page is built with, from the same networks that the browser runs."""

import numpy as np

import helpers.models  # noqa: F401 - before anything else brings TensorFlow, whose greetings it keeps off the page
from helpers import pretrained, validation
from helpers.images import digits, photo
from helpers.league import digit_tasks
from helpers.live import FIRST, LEVEL, PHOTO
from helpers.metrics import psnr
from helpers.operators import Identity, measure
from helpers.plots import show
from helpers.posterior import samplers

DRAWS = 4  # of the diffusion model, here and in the panel
JUMPS = 5  # half of the library's, as the browser takes them


def restored_digit(label=FIRST[0], task=FIRST[1]):
    """Show the first held-out digit of a class, damaged, what four networks make of it, and how a fifth reads them.

    Parameters
    ----------
    label : int
        The class, from 0 to 9.
    task : str
        A damage that loses pixels: a key of ``helpers.league.digit_tasks.TASKS``, but not ``"noise50"``.
    """
    label = validation.integer(label, "label", low=0, high=9)
    _, _, x_test, y_test = digits()
    x = x_test[y_test == label][:1]
    y, operators, sigma = digit_tasks.damage(x, task)
    answers = {
        "U-Net": pretrained.shared("restorer").restore(y, operators, sigma),
        "GAN": pretrained.shared("inverter").restore(y, operators, sigma, restarts=1, steps=0),
        "VAE": pretrained.shared("vae").restore(y, operators, sigma),
    }
    draws = samplers.sample(y[0], operators[0], sigma, pretrained.shared("diffusion-digits"), DRAWS, seed=0,
                            method="repaint", jumps=JUMPS)
    pictures = np.concatenate([x, y, *answers.values(), draws]).clip(0, 1)
    judge = pretrained.shared("classifier")
    names = ["the truth", "damaged", *answers, *(f"draw {i + 1}" for i in range(DRAWS))]
    titles = [f"{name}\n{reading(odds)}" for name, odds in zip(names, judge.probabilities(pictures), strict=True)]
    show(pictures, titles, columns=5, scale=5)


def denoised_photo(name=PHOTO, sigma=LEVEL):
    """Show a shipped photograph, the same under noise, and what the shipped denoiser makes of that.

    Parameters
    ----------
    name : str
        A key of ``helpers.images.PHOTOS``.
    sigma : float
        Noise level in image units.
    """
    sigma = validation.sigma(sigma)
    x = photo(name)
    y = measure(x, Identity(), sigma, np.random.default_rng(0))
    x_hat = pretrained.shared("denoiser")(y, sigma).clip(0, 1)
    titles = [f"under noise, {psnr(x, y):.1f} dB", f"without it, {psnr(x, x_hat):.1f} dB", "the photograph"]
    show([y, x_hat, x], titles)


def reading(odds):
    """Return what a digit reads as, and how surely, as a title says it."""
    return f"reads {odds.argmax()} ({100 * odds.max():.0f} %)"
