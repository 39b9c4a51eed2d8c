"""Data of our own making behind the one door to data, and small networks, for the tests about honest training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import images
from helpers.images import SPLITS
from helpers.models import gan
from helpers.recipes import DIGITS, RECIPES

SMALL = {
    "denoiser": {"network": {"channels": (8, 8, 8)}, "patch": 24},
    "denoiser-colour": {"network": {"channels": (8, 8, 8), "colours": 3}, "patch": 24},
    "restorer": {"network": {"channels": (8, 8, 16)}}, "vae": {"network": {"latent": 4, "width": 8}},
    "gan": {"generator": {"latent": 6, "width": 8}, "discriminator": {"width": 8}},
    "inverter": {"network": {"width": 8}},
    **{name: {"network": {"widths": (8, 8), "down": (1, 1), "up": (1,)}}
       for name in RECIPES if name.startswith("diffusion")},
    **{name: {"network": recipe.options["network"] | {"widths": (4, 4, 4), "blocks": 1}, "patch": 24}
       for name, recipe in RECIPES.items() if name.startswith("style-")},
    **{name: {"network": {"width": 8, "blocks": 1}, "patch": 24, "start": None}
       for name in RECIPES if name.startswith("sr-")},
    "stylegan-robots": {"mapping": {"latent": 16, "style": 16, "depth": 2},
                        "synthesis": {"style": 16, "widths": (16, 16, 16)}, "discriminator": {"widths": (8, 8, 8)}},
    **{name: {"generator": {"widths": (8, 8, 8, 8)}, "discriminator": {"widths": (8, 8, 8)}}
       for name in RECIPES if name.startswith(("robots", "earth"))},
}
ASKED_APART = ("tokenizer-robots", "chooser-robots", "words-robots")  # in test_tokenizer.py and test_words.py
DISTINCT = [name for name in RECIPES if name not in (  # three styles draw as the dahlia does, sr-feature as sr-pixel
    "style-dahlia-batch", "style-relief", "style-tissue", "sr-feature", *ASKED_APART)]
OF_DIGITS = [name for name, recipe in RECIPES.items() if recipe.data.startswith(DIGITS)]


def small(name):
    """Return the shipped recipe of a model with a smaller network."""
    recipe = RECIPES[name]
    return recipe._replace(options=recipe.options | SMALL.get(name, {}))


def small_gan():
    keras.utils.set_random_seed(1)
    return gan.Gan.blank(small("gan"))


def training(name, **arguments):
    """Return the training of a model with a smaller network, always from the same weights."""
    recipe = small(name)
    if recipe.options.get("judged"):
        arguments.setdefault("judge", None)
    if name == "inverter":
        arguments.setdefault("gan", small_gan())
    keras.utils.set_random_seed(0)
    return recipe.module().Training(recipe, **arguments)


def step_down(loss, variables, optimizer):
    """Return a function that takes one step down a loss, and returns that loss and its gradients before the step."""
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, [v.value for v in variables])
        optimizer.apply(gradients, variables)
        return value, gradients

    return step


def put_digits(monkeypatch, train, test):
    """Let every reader of digits get these (x, y), uint8, and let nobody fetch the whole of MNIST instead."""
    monkeypatch.setattr(images, "_shipped_digits", lambda: (*train, *test))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda *_, **__: pytest.fail("the whole of MNIST was asked"))


def random_digits(seed, count):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count).astype(np.uint8)


def coded_digits(count, first):
    """Return flat digits, each with a level of its own that tells its class: level % 10 is the class."""
    level = np.arange(first, first + count)
    return np.broadcast_to(level[:, None, None], (count, 28, 28)).astype(np.uint8), (level % 10).astype(np.uint8)


def put_photos(monkeypatch, seeds):
    """Let the photographs of each split be noise of its seed."""
    of_split = {name: (split, i) for split, names in SPLITS.items() for i, name in enumerate(names)}

    def photo(name, size=256, color=False):
        split, i = of_split[name]
        side = 40 if size is None else size
        levels = np.random.default_rng([seeds[split], i]).integers(0, 256, (side, side))
        return (levels / 255).astype(np.float32)

    monkeypatch.setattr(images, "photo", photo)


def paint(z, label):
    """A generator whose pictures tell their class: flat, with the level (class + 1) / 20."""
    level = (tf.cast(tf.argmax(label, 1), tf.float32) + 1) / 20 + 0 * tf.reduce_sum(z, 1)
    return tf.ones([1, 28, 28, 1]) * level[:, None, None, None]


def class_of(x):
    """Read the class from what is left of a painted picture: its brightest pixel."""
    return np.rint(20 * np.asarray(x, np.float64).reshape(len(x), -1).max(1)).astype(int) - 1


def painting_gan():
    """Return a GAN whose generator paints."""
    made = small_gan()
    made.networks = {"generator": lambda pair, training: paint(*pair),
                     "discriminator": lambda pair, training: tf.reduce_sum(pair[0], [1, 2, 3])[:, None]}
    made._generate = paint
    return made
