"""A model that trains in no time: two curves fitted to points. The tests of the loop train it."""

import sys

import keras
import tensorflow as tf
from keras import layers

from helpers import recipes
from helpers.training import Player, split

on_watch = []  # functions that a test wants called each time the loop looks at the held-out metric

RECIPE = recipes.Recipe(what="a toy", model="toy.Toy", data="points", steps=12, batch=8, learning_rate=0.05, epoch=4,
                        warmup=2, record=1, look=3, ema=0.9)


def install(monkeypatch, **changes):
    """Make ``toy`` a model of the course for the length of a test, and return its recipe."""
    recipe = RECIPE._replace(**changes)
    monkeypatch.setitem(sys.modules, "helpers.models.toy", sys.modules[__name__])
    monkeypatch.setitem(recipes.RECIPES, "toy", recipe)
    return recipe


def build(name, width, dropout):
    x = keras.Input((3,))
    h = layers.Dense(width, activation="tanh")(layers.Dropout(dropout)(x))
    return keras.Model(x, layers.Dense(1, dtype="float32")(h), name=name)


class Training:
    def __init__(self, recipe, **arguments):
        self.ready = Toy.blank(recipe)
        self.networks = self.ready.networks
        self.arguments = arguments
        self.players = [Player("first", ["a"], lambda batch: self.loss("a", batch)),
                        Player("second", ["b"], lambda batch: self.loss("b", batch))]

    def draw(self, seed, batch):
        seeds = split(seed, 2)
        x = tf.random.stateless_normal([batch, 3], seeds[0])
        return x, tf.reduce_sum(x, 1, keepdims=True) + 0.1 * tf.random.stateless_normal([batch, 1], seeds[1])

    def loss(self, name, batch):
        x, target = batch
        return tf.reduce_mean(tf.square(self.networks[name](x, training=True) - target))

    def watch(self):
        for call in on_watch:
            call()
        return {"bias": float(self.ready.networks["a"].trainable_variables[-1].numpy()[0])}

    def evaluate(self):
        return {"bias": {"value": float(self.ready.networks["a"].trainable_variables[-1].numpy()[0])}}


class Toy:
    def __init__(self, networks, needed):
        self.networks, self.needed = networks, needed

    @classmethod
    def blank(cls, recipe, **needed):
        width, dropout = recipe.options.get("width", 4), recipe.options.get("dropout", 0.2)
        return cls({name: build(name, width, dropout) for name in "ab"}, needed)
