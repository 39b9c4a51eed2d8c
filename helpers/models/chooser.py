"""A chooser: says how well a caption and a picture go together, after Radford et al. 2021 (arXiv:2103.00020), "CLIP".

One network turns a picture into a vector of length 1, another a caption into one whose length, the same for all
captions, is learnt, and their inner product is the score. In a batch of captions and pictures each caption has to find
its picture among all others, and each picture its caption. A caption that leaves things open may be true of several
pictures of the batch: then the probability of all of them together counts.

What a chooser has to tell apart is what a batch holds. Robots come here in families, whose members differ in a few of
their six attributes. A third of the pictures show two small robots; there the captions name colour, body and head of
both.
"""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.images import robots
from helpers.models import captions, worlds
from helpers.models.captions import LENGTH, MEANT, WORDS
from helpers.models.tokenizer import PICTURE
from helpers.models.transformer import Block
from helpers.training import Player, split

FAMILY = 8  # robots that differ in a few attributes
CHANGED = 0.35  # how often an attribute of a member is not that of the family
TOLD = ("colour", "body", "head")  # of two small robots: what else they have can hardly be seen

# --------------------------------------------------------------------------------------------- networks


def build_picture(widths=(32, 64, 64), vector=64):
    """Return the network: pictures (N, 32, 32, 3) to vectors (N, 64) of length 1."""
    x = keras.Input(PICTURE)
    h = layers.Rescaling(4.0, -3.4)(x)
    h = layers.Conv2D(widths[0], 6, strides=2, padding="same", activation="relu")(h)
    h = layers.Conv2D(widths[1], 4, strides=2, padding="same", activation="relu")(h)
    h = layers.Conv2D(widths[2], 3, padding="same", activation="relu")(h)
    h = layers.Conv2D(widths[2] // 2, 1, activation="relu")(h)
    h = layers.Dense(vector, dtype="float32")(layers.Flatten()(h))
    return keras.Model(x, layers.UnitNormalization(dtype="float32")(h), name="picture")


class Bag(layers.Layer):
    """Turn words (N, 12) into vectors (N, 12, width), each of which tells its place."""

    def __init__(self, width, **options):
        super().__init__(**options)
        self.width = width

    def build(self, shape):
        """Make the tables of words and places."""
        small = keras.initializers.RandomNormal(0.3)
        self.words = self.add_weight(shape=(len(WORDS), self.width), initializer=small, name="words")
        self.order = self.add_weight(shape=(LENGTH, self.width), initializer=small, name="order")

    def call(self, words):
        """Return the sum of both."""
        return tf.gather(self.words * 1.0, words) + self.order


class Strength(layers.Layer):
    """Multiply by a number that is learnt, 10 at first and at most 100."""

    def build(self, shape):
        """Make the number: its logarithm."""
        self.log = self.add_weight(shape=(), initializer=keras.initializers.Constant(np.log(10)), name="log")

    def call(self, h):
        """Return h, longer or shorter."""
        return h * tf.exp(tf.minimum(tf.cast(self.log, h.dtype), np.log(100)))


def build_caption(width=64, vector=64, depth=1):
    """Return the network: words (N, 12) to vectors (N, 64), all of one length that is learnt."""
    words = keras.Input((LENGTH,), dtype="int32")
    h = Bag(width, name="bag")(words)
    for i in range(depth):
        h = Block(4, causal=False, depth=depth, name=f"block_{i}")(h)
    h = layers.UnitNormalization(dtype="float32")(layers.Dense(vector, dtype="float32")(
        layers.GlobalAveragePooling1D(dtype="float32")(h)))
    return keras.Model(words, Strength(dtype="float32", name="strength")(h), name="caption")


# --------------------------------------------------------------------------------------------- training


class Training:
    """Families of robots, passed through the tokenizer, and pairs of small ones; the loss is the cross-entropy of
    finding the right partner, both ways."""

    def __init__(self, recipe, **needed):
        self.ready = Chooser.blank(recipe)
        self.networks = self.ready.networks
        self.tokenizer = needed["tokenizer-robots"]
        self.parts = worlds.robot_parts()
        self.drop, self.swapped = recipe.options["drop"], recipe.options["swapped"]
        self.players = [Player("chooser", ["picture", "caption"], self.loss)]

    def draw(self, seed, batch):
        """Return pictures, captions and what is true of them: of ``batch`` single robots and of half as many pairs.

        The second half of the pictures of pairs has, if the recipe says so, the robots of the first half with their
        colours exchanged.
        """
        seeds = split(seed, 6)
        said = family(seeds[0], batch)
        told = captions.leave_open(said, self.drop, seeds[1])
        x = self.tokenizer.decode_tensor(self.tokenizer.codes_tensor(worlds.paste(self.parts, said)))
        two = couples(seeds[2], batch // 2)
        if self.swapped:
            half = two[: batch // 4]
            two = tf.concat([half, swap(half)], axis=0)
        first = tf.random.stateless_uniform([batch // 2], seeds[3], 0, 2, tf.int32)  # which one the caption begins with
        return x, said, told, captions.word(told, seeds[4]), self.pair(two), word_two(two, first)

    def pair(self, two):
        """Return the pictures (N, 32, 32, 3) of two small robots each, (N, 2, 6)."""
        small = tf.nn.avg_pool2d(worlds.paste(self.parts, tf.reshape(two, [-1, 6])), 2, 2, "VALID")
        small = tf.reshape(small, [-1, 2, 16, 16, 3])
        return tf.pad(tf.concat([small[:, 0], small[:, 1]], axis=2), [[0, 0], [8, 8], [0, 0], [0, 0]],
                      constant_values=1)

    def loss(self, batch):
        """Return the mean of both losses."""
        x, said, told, words, x_two, words_two = batch
        true = tf.reduce_all((told[:, None] == said) | (told[:, None] < 0), axis=2)  # (captions, pictures)
        n, m = tf.shape(x)[0], tf.shape(x_two)[0]
        seen = self.networks["picture"](tf.concat([x, x_two], 0), training=True)
        read = self.networks["caption"](tf.concat([words, words_two], 0), training=True)
        return (matching(tf.matmul(read[:n], seen[:n], transpose_b=True), true)
                + matching(tf.matmul(read[n:], seen[n:], transpose_b=True), tf.eye(m, dtype=tf.bool))) / 2

    def watch(self):
        """Return how often the right one of eight members of a family is chosen, and the right of two captions."""
        return {"one of eight": one_of_eight(self.ready, self.tokenizer, 200), "binding": binding(self.ready, 500)}

    def evaluate(self):
        """Return how often the right picture is chosen from eight that differ in a few attributes, or in one; and how
        often the caption of two robots scores above the same with colours, or heads, exchanged."""
        held_out = one_of_eight(self.ready, self.tokenizer, 1000, "held-out")
        single = {name: alone(self.ready, self.tokenizer, 500, k) for k, name in enumerate(robots.ATTRIBUTES)}
        two = {name: binding(self.ready, 2000, column)
               for name, column in (("value", 0), ("heads exchanged", 2), ("another colour", None))}
        return {"right picture of eight": {"value": one_of_eight(self.ready, self.tokenizer, 1000),
                                           "pairs held out": held_out, "chance": 1 / 8},
                "right picture of two that differ in one attribute": single,
                "right caption of two": {**two, "chance": 0.5}}


def matching(scores, true):
    """Return the mean cross-entropy of finding what is true (captions, pictures), from captions and from pictures.

    A picture that no caption is true of does not occur: each has its own.
    """
    within = tf.where(true, scores, -1e9)
    return sum(tf.reduce_mean(tf.reduce_logsumexp(scores, axis) - tf.reduce_logsumexp(within, axis))
               for axis in (0, 1)) / 2


def family(seed, n):
    """Return robots (n, 6) in families of eight, none of them with a held-out pair: a member that would have one is
    replaced by the robot that its family was made from."""
    seeds = split(seed, 4)
    numbers = _allowed()
    base = tf.gather(numbers, tf.random.stateless_uniform([-(-n // FAMILY)], seeds[0], 0, len(numbers), tf.int32))
    base = tf.repeat(base[:, None] // [100000, 10000, 1000, 100, 10, 1] % 10, FAMILY, axis=0)[:n]
    other = tf.random.stateless_uniform([n, 6], seeds[1], 0, 10, tf.int32)
    member = tf.where(tf.random.stateless_uniform([n, 6], seeds[2]) < CHANGED, other, base)
    head, accessory = (tf.constant(robots.HELD_OUT[pair]) for pair in (("colour", "head"), ("head", "accessory")))
    never = (tf.gather(head, member[:, 0]) == member[:, 2]) | (tf.gather(accessory, member[:, 2]) == member[:, 3])
    return tf.where(never[:, None], base, member)


@functools.cache
def _allowed():
    return worlds.Robots.allowed_numbers()


def couples(seed, n):
    """Return two robots each, (n, 2, 6), of different colours, bodies and heads, none with a held-out pair."""
    seeds = split(seed, 2)
    numbers = _allowed()
    drawn = tf.gather(numbers, tf.random.stateless_uniform([4 * n + 64, 2], seeds[0], 0, len(numbers), tf.int32))
    two = drawn[..., None] // [100000, 10000, 1000, 100, 10, 1] % 10
    differ = tf.reduce_all(two[:, 0, :3] != two[:, 1, :3], axis=1)
    first = tf.argsort(tf.cast(~differ, tf.int32), stable=True)[:n]  # seven of ten differ so
    return tf.gather(two, first)


def swap(two, column=0):
    """Return couples (N, 2, 6) with their colours, or another attribute, exchanged."""
    place = tf.range(6) == column
    return tf.where(place, two[:, ::-1], two)


def word_two(two, first):
    """Return captions (N, 12) of couples (N, 2, 6), which begin with the left (0) or right (1) robot: "a red robot with
    a barrel body and an egg head and a blue robot with a cone body and a round head"."""
    two = tf.gather(two, tf.stack([first, 1 - first], axis=1), batch_dims=1)
    body, head = (tf.fill(tf.shape(two)[:2], WORDS.index(noun)) for noun in ("body", "head"))
    robot = tf.fill(tf.shape(two)[:2], captions.ROBOT)
    line = tf.stack([MEANT + two[..., 0], robot, MEANT + 10 + two[..., 1], body, MEANT + 20 + two[..., 2], head], 2)
    return tf.reshape(line, [-1, LENGTH])


# --------------------------------------------------------------------------------------------- judging


def binding(chooser, n, column=0, seed=9):
    """Return how often the caption of two robots scores above the same caption with colours exchanged (or another
    attribute, ``column``); with None, above one in which one colour is that of neither."""
    seeds = split(tf.constant([seed, 1]), 3)
    two = couples(seeds[0], n)
    if column is None:
        shift = tf.random.stateless_uniform([n], seeds[2], 1, 9, tf.int32)  # eight colours are those of neither
        away = (two[:, 1, 0] - two[:, 0, 0]) % 10
        colour = (two[:, 0, 0] + shift + tf.cast(shift >= away, tf.int32)) % 10
        wrong = tf.concat([tf.concat([colour[:, None], two[:, 0, 1:]], 1)[:, None], two[:, 1:]], axis=1)
    else:
        wrong = swap(two, column)
    first = tf.random.stateless_uniform([n], seeds[1], 0, 2, tf.int32)
    x = draw_two(two.numpy())
    right, other = (chooser.scores(word_two(said, first).numpy(), x[:, None])[:, 0] for said in (two, wrong))
    return float(np.mean((right > other) + 0.5 * (right == other)))


def draw_two(two):
    """Return the pictures (N, 32, 32, 3) of two small robots each, (N, 2, 6), side by side on white."""
    x = robots.render(two).reshape(len(two), 2, 16, 2, 16, 2, 3).mean(axis=(3, 5))
    picture = np.ones((len(two), *PICTURE), np.float32)
    picture[:, 8:24] = np.concatenate([x[:, 0], x[:, 1]], axis=2)
    return picture


def one_of_eight(chooser, tokenizer, n, split="train", seed=8):
    """Return how often the right one is chosen from eight pictures that differ in an attribute or two, by its full
    caption."""
    rng = np.random.default_rng(seed)
    said = np.repeat(robots.draw_robots(n, seed, split)[:, None], 8, axis=1)
    for k in range(1, 8):
        for column in rng.permuted(np.tile(np.arange(6), (n, 1)), axis=1)[:, : 1 + k % 2].T:
            said[np.arange(n), k, column] = (said[np.arange(n), k, column] + rng.integers(1, 10, n)) % 10
    x = tokenizer.decode(tokenizer.encode(robots.render(said).reshape(-1, *PICTURE))).reshape(n, 8, *PICTURE)
    return float(np.mean(chooser.scores(captions.tokens(robots.caption(said[:, 0])), x).argmax(axis=1) == 0))


def alone(chooser, tokenizer, n, column, seed=7):
    """Return how often the right one is chosen from two pictures that differ in one attribute only."""
    said = robots.draw_robots(n, seed)
    other = said.copy()
    other[:, column] = (said[:, column] + np.random.default_rng(seed).integers(1, 10, n)) % 10
    x = np.stack([tokenizer.decode(tokenizer.encode(robots.render(each))) for each in (said, other)], axis=1)
    return float(np.mean(chooser.scores(captions.tokens(robots.caption(said)), x).argmax(axis=1) == 0))


class Chooser:
    """The networks with NumPy in and out: ``scores`` of captions and pictures."""

    def __init__(self, networks):
        self.networks = networks
        self._see = tf.function(lambda x: networks["picture"](x, training=False), autograph=False,
                                input_signature=[tf.TensorSpec([None, *PICTURE])])
        self._read = tf.function(lambda words: networks["caption"](words, training=False), autograph=False,
                                 input_signature=[tf.TensorSpec([None, LENGTH], tf.int32)])

    @classmethod
    def blank(cls, recipe, **needed):
        """Return an untrained one, which weights are then read into."""
        options = recipe.options
        return cls({"picture": build_picture(**options.get("picture", {})),
                    "caption": build_caption(**options.get("caption", {}))})

    def scores(self, words, x):
        """Return how well each of k pictures (N, k, 32, 32, 3) goes with its caption, words (N, 12): (N, k)."""
        x = validation.array(x, "x", ranks=(5,)).astype(np.float32)
        words = np.asarray(words, np.int32)
        if x.shape[2:] != PICTURE or words.shape != (len(x), LENGTH):
            raise ValueError(f"words and x must have shapes (N, {LENGTH}) and (N, k, 32, 32, 3), but they have "
                             f"{words.shape} and {x.shape}")
        flat = x.reshape(-1, *PICTURE)
        seen = np.concatenate([self._see(flat[i : i + 512]).numpy() for i in range(0, len(flat), 512)])
        return np.einsum("nd,nkd->nk", self._read(words).numpy(), seen.reshape(*x.shape[:2], -1))
