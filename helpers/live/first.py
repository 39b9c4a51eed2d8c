"""The first states of the panels: figures that a page is built with, from the same networks that the browser runs."""

import numpy as np

import helpers.models  # noqa: F401 - before anything else brings TensorFlow, whose greetings it keeps off the page
from helpers import pretrained, validation
from helpers.images import digits, photo
from helpers.league import digit_tasks
from helpers.live import FIRST, LEVEL, MIX, PHOTO, WALK
from helpers.metrics import psnr
from helpers.models import diffusion, stylegan
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
        "GAN": pretrained.shared("inverter").restore(y, operators, sigma),
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
    """Show a shipped photograph under noise, and what the shipped denoiser makes of that.

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
    show([y, x_hat], [f"under noise, {psnr(x, y):.1f} dB", f"denoised, {psnr(x, x_hat):.1f} dB"])


def walked_digit():
    """Show the walk from noise to a digit with which the panel "draw-from-noise" begins.

    Above, the noisy picture at each level, shrunk into the range as DDPM keeps it; below, what the network sees in it.
    """
    steps = walk_of_digit()
    noisy = [0.5 + (x[0] - 0.5) / np.hypot(1, 2 * sigma) for x, _, sigma in steps]
    titles = [f"{sigma:.2g}" for _, _, sigma in steps]
    titles[0] = f"σ = {titles[0]}"
    show([*noisy, *(clean[0] for _, clean, _ in steps)], [*titles, *[""] * len(steps)], columns=len(steps))


def walk_of_digit(label=WALK["label"], sampler=WALK["sampler"], steps=WALK["steps"], guidance=WALK["guidance"],
                  seed=WALK["seed"]):
    """Return the walk from the browser's noise to a digit by a sampler that adds none: (x, clean picture, level) each.

    The arguments are those of :meth:`helpers.models.diffusion.Diffusion.sample`.
    """
    model, sigmas = pretrained.shared("diffusion-digits"), diffusion.levels(sampler, steps)
    how = diffusion.SAMPLERS[sampler]
    if how.eta:
        raise ValueError(f"sampler {sampler!r} adds noise on the way, which only the browser draws as the browser does")

    def look(x, sigma):
        return model.denoise(x, sigma, label, guidance)

    start = model.centre + diffusion.HIGHEST * browser_noise(seed, (1, *model.shape))
    walk = list(diffusion.walk(look, start, sigmas, order=how.order))
    return [(x, look(x, sigma) if sigma else x, float(sigma)) for x, sigma in zip(walk, sigmas, strict=True)]


def mixed_robots():
    """Show the two robots and their mixture with which the panel "mix-styles" begins, and what lies between the two."""
    titles = ["robot A", "the mixture", "robot B", "half-way in z", "half-way in w"]
    show(robots_of_styles(), titles, columns=5, scale=4)


def robots_of_styles(seeds=MIX["seeds"], second=MIX["second"], along=MIX["along"], truncation=MIX["truncation"],
                     noise=MIX["noise"], centre=None):
    """Return the robots (5, 32, 32, 3) of the browser's seeds: a, the mixture, b, and two places between a and b.

    Parameters
    ----------
    seeds : (int, int)
        Those of a and b.
    second : sequence of int
        The layers in which the mixture has the style of b.
    along : float
        How far along the straight way from a to b, in z and in w, the last two robots lie.
    truncation : float
        As :meth:`helpers.models.stylegan.StyleGan.truncate` takes it, towards ``centre``, by default the model's own.
    noise : int
        The number of the noise that all of them get: it begins at the far end of the seeds.
    """
    gan = pretrained.shared("stylegan-robots")
    z = np.stack([browser_noise(seed, (gan.latent,)) for seed in seeds])
    w = gan.styles([*z, (1 - along) * z[0] + along * z[1]])
    w = gan.truncate(w, truncation) if centre is None else centre + np.float32(truncation) * (w - centre)
    a, b, middle = w[:, None]
    styles = np.concatenate([gan.each(a), gan.mix(a, b, second), gan.each(b), gan.each(middle),
                             gan.each((1 - along) * a + along * b)])
    added = browser_noise(2**32 - 1 - noise, (1, sum(stylegan.PLACES)))
    return gan.draw(styles, noise=np.repeat(added, len(styles), axis=0))


def browser_noise(seed, shape):
    """Return Gaussian noise as the panels draw it: even numbers by mulberry32, turned by Box and Muller; float32."""
    seed = validation.integer(seed, "seed", low=0, high=2**32 - 1)
    state = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, 2 * np.prod(shape) + 1, dtype=np.uint32)
    t = (state ^ (state >> 15)) * (state | 1)
    t ^= t + (t ^ (t >> 7)) * (t | 61)
    radius, angle = ((t ^ (t >> 14)) / 2.0**32).reshape(-1, 2).T
    return (np.sqrt(-2 * np.log(1 - radius)) * np.cos(2 * np.pi * angle)).reshape(shape).astype(np.float32)


def reading(odds):
    """Return what a digit reads as, and how surely, as a title says it."""
    return f"reads {odds.argmax()} ({100 * odds.max():.0f} %)"
