"""Words to pictures: a transformer that goes on where a caption ends, with the numbers of a picture.

After Ramesh et al. 2021 (arXiv:2102.12092), "DALL·E". A picture is 64 numbers (``helpers.models.tokenizer``), a caption
twelve (``helpers.models.captions``), and both together are one line. The network is asked for the probability of each
number of the picture, given all that stands before it:

    p(picture | caption) = ∏ p(number i | caption, numbers 0 … i - 1).

The loss is the mean of -log p. To paint is to draw one number after the other. What earlier places have to say to later
ones, their keys and values, does not change when the line grows, and is kept.

Two differences from the paper: only the picture is foretold, not the caption, and the attention is full, not sparse.
One table turns numbers into vectors and, at the end, vectors into the odds of numbers.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.images import robots
from helpers.models import captions, worlds
from helpers.models.captions import LENGTH, WORDS
from helpers.models.tokenizer import SIDE
from helpers.models.transformer import Block, normal
from helpers.training import Player, split

PLACES = SIDE * SIDE
PIECE = 256  # pictures that are painted at once
NEAR = 0.06  # root mean square: so near a picture is to be to a robot of the world

# --------------------------------------------------------------------------------------------- network


class Line(layers.Layer):
    """Turn words and codes into vectors, and vectors into the odds of codes.

    Each vector also tells where it stands: of words which one it is, of codes which place is to be foretold from it.
    """

    def __init__(self, width, book, **options):
        super().__init__(**options)
        self.width, self.book = width, book

    def build(self, *_):
        """Make the tables: words, codes, and what is added for each place in the line."""
        small = keras.initializers.RandomNormal(self.width**-0.5)
        for name, rows in {"words": len(WORDS), "codes": self.book, "order": LENGTH, "places": PLACES}.items():
            setattr(self, name, self.add_weight(shape=(rows, self.width), initializer=small, name=name))
        self.scale = self.add_weight(shape=(self.width,), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(self.width,), initializer="zeros", name="shift")

    def call(self, words, codes):
        """Return the vectors (N, 12 + T, width) of words (N, 12) and codes (N, T) at the places 0 … T - 1."""
        return tf.concat([self.begin(words), self.go_on(codes, 0)], axis=1)

    def begin(self, words):
        """Return the vectors of captions (N, 12): from the last of them the first code is foretold."""
        first = tf.cast(tf.range(LENGTH) == LENGTH - 1, self.order.dtype)[:, None] * self.places[0]
        return tf.gather(self._large(self.words), words) + self._large(self.order) + self._large(first)

    def go_on(self, codes, place):
        """Return the vectors of codes (N, T) that stand at ``place`` and after it."""
        following = self.places[place + 1 : place + 1 + tf.shape(codes)[1]]
        return tf.gather(self._large(self.codes), codes) + self._large(following)

    def odds(self, h):
        """Return the logarithms of the odds of all codes, float32 (..., book)."""
        return tf.cast(tf.matmul(normal(h, self.scale, self.shift), self.codes, transpose_b=True), tf.float32)

    def _large(self, table):
        return table * tf.cast(0.5 * self.width**0.5, table.dtype)


class Network(keras.Model):
    """A line and a stack of blocks: words (N, 12) and codes (N, 63) to the odds of 64 codes, (N, 64, book)."""

    def __init__(self, book, width=128, depth=4, heads=4):
        super().__init__(name="transformer")
        self.line = Line(width, book, name="line")
        self.blocks = [Block(heads, depth=depth, name=f"block_{i}") for i in range(depth)]
        self.line.build()
        for block in self.blocks:
            block.build((None, None, width))
        self.built = True

    def call(self, words, codes, training=False):
        """Return the odds at all places at once, with the true codes before each."""
        h = self.line(words, codes)
        for block in self.blocks:
            h = block(h)
        return self.line.odds(h[:, LENGTH - 1 :])

    def step(self, h, past):
        """Return the odds after the last vector of h (N, T, width), and keys and values with these places added."""
        kept = []
        for i, block in enumerate(self.blocks):
            h, seen = block.look(h, None if past is None else past[i])
            kept.append(seen)
        return self.line.odds(h[:, -1]), tf.stack(kept)


# --------------------------------------------------------------------------------------------- training


class Training:
    """Robots without a held-out pair and captions of them, in any order and more or less complete; the loss is the
    cross-entropy of the codes."""

    def __init__(self, recipe, **needed):
        self.ready = Words.blank(recipe, **needed)
        self.networks = self.ready.networks
        self.world = worlds.Robots()
        self.drop = recipe.options["drop"]
        self.players = [Player("words", ["transformer"], self.loss)]

    def draw(self, seed, batch):
        """Return captions (batch, 12) and codes (batch, 64)."""
        seeds = split(seed, 3)
        x, said = self.world.draw(seeds[0], batch)
        words = captions.word(captions.leave_open(said, self.drop, seeds[1]), seeds[2])
        return words, tf.reshape(self.ready.tokenizer.encode_tensor(x), [batch, PLACES])

    def loss(self, batch):
        """Return the mean cross-entropy of a code, in nats."""
        words, codes = batch
        odds = self.networks["transformer"](words, codes[:, :-1], training=True)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(codes, odds))

    def watch(self):
        """Return the shares of 100 robots of each kind that came out as asked, at a temperature of a half."""
        return {what: as_asked(self.ready, robots.draw_robots(100, 2, which), temperature=0.5)["all six"]
                for which, what in (("train", "pairs seen"), ("held-out", "pairs held out"))}

    def evaluate(self):
        """Return the shares of robots that came out as asked, of 500 captions of each kind: of one picture at two
        temperatures; of 250 captions of the best of eight that the chooser takes, the likeliest of eight, and whether
        any of the eight is right; beside the share that the tokenizer keeps of the true pictures."""
        report = {}
        for which, what in (("train", "pairs seen"), ("held-out", "pairs held out")):
            asked = robots.draw_robots(500, 2, which)
            for temperature in (1.0, 0.5):
                report[f"as asked, {what}, temperature {temperature:g}"] = as_asked(
                    self.ready, asked, temperature=temperature)
            report[f"best of eight, {what}"] = choosing(self.ready, asked[:250])
            x = robots.render(asked)
            kept = robots.read(self.ready.tokenizer.decode(self.ready.tokenizer.encode(x)))[0] == asked
            report[f"ceiling, {what}"] = _shares(kept)
        return report


def shown(recipe):
    """Return which of all million robots the training of a recipe drew, by number: booleans (1,000,000,)."""
    numbers, batch = worlds.Robots.allowed_numbers(), recipe.batch

    @tf.function(autograph=False)
    def drawn():
        def one(step):
            seed = split(tf.stack([recipe.seed, step]), 3)[0]
            return tf.random.stateless_uniform([batch], seed, 0, len(numbers), tf.int32)

        return tf.map_fn(one, tf.range(recipe.steps))

    found = np.zeros(robots.WORLD, bool)
    found[numbers[drawn().numpy().ravel()]] = True
    return found


def as_asked(model, asked, seed=0, **how):
    """Return the share of robots that came out with all six attributes as asked for, (N, 6), and for each attribute:
    those of the nearest robot; and the share that are right and also near to that robot."""
    read, far = robots.read(model.paint(captions.tokens(robots.caption(asked)), seed, **how))
    right = read == asked
    return {**_shares(right), "all six, within 0.06": float((right.all(axis=1) & (far < NEAR)).mean())}


def choosing(model, asked, n=8, seed=1, temperature=1.0):
    """Return the share of captions that get all six attributes: by the first of n pictures, by the one that the chooser
    takes, by the likeliest of the transformer, and by any."""
    words = captions.tokens(robots.caption(asked))
    many = np.repeat(words, n, axis=0)
    codes = model.codes(many, seed, temperature)
    x = model.tokenizer.decode(codes)
    read, far = robots.read(x)
    right = (read == np.repeat(asked, n, axis=0)).all(axis=1).reshape(-1, n)
    near = right & (far < NEAR).reshape(-1, n)
    each = np.arange(len(asked))
    found = {"value": model.chooser.scores(words, x.reshape(-1, n, *x.shape[1:])),
             "likeliest": model.log_likelihood(many, codes).reshape(-1, n)}
    return {**{who: float(right[each, score.argmax(axis=1)].mean()) for who, score in found.items()},
            "chosen, within 0.06": float(near[each, found["value"].argmax(axis=1)].mean()),
            "first": float(right[:, 0].mean()), "any": float(right.any(axis=1).mean())}


def _shares(right):
    return {"all six": float(right.all(axis=1).mean()),
            **{name: float(right[:, k].mean()) for k, name in enumerate(robots.ATTRIBUTES)}}


# --------------------------------------------------------------------------------------------- the ready object


class Words:
    """The transformer with its tokenizer and its chooser: ``sample`` from a caption, ``paint`` from words as numbers,
    ``codes`` and ``log_likelihood``."""

    def __init__(self, network, tokenizer, chooser):
        self.network, self.tokenizer, self.chooser = network, tokenizer, chooser
        words, codes = (tf.TensorSpec([None, size], tf.int32) for size in (LENGTH, PLACES - 1))
        past = tf.TensorSpec([len(network.blocks), 2, None, network.blocks[0].heads, None,
                              network.line.width // network.blocks[0].heads], tf.float32)
        self._odds = tf.function(lambda words, codes: network(words, codes), autograph=False,
                                 input_signature=[words, codes])
        self._begin = tf.function(lambda words: network.step(network.line.begin(words), None), autograph=False,
                                  input_signature=[words])
        self._go_on = tf.function(lambda codes, place, past: network.step(network.line.go_on(codes, place), past),
                                  autograph=False, input_signature=[
                                      tf.TensorSpec([None, 1], tf.int32), tf.TensorSpec([], tf.int32), past])

    @classmethod
    def blank(cls, recipe, **needed):
        """Return an untrained one, which weights are then read into; the tokenizer and the chooser are trained."""
        tokenizer, chooser = needed["tokenizer-robots"], needed["chooser-robots"]
        return cls(Network(tokenizer.book, **recipe.options.get("network", {})), tokenizer, chooser)

    @property
    def networks(self):
        """The networks by name, as they are saved."""
        return {"transformer": self.network}

    def sample(self, n, seed, caption="a robot", temperature=1.0, top=None, choose=1):
        """Return ``n`` pictures of what a caption says, float32 (n, 32, 32, 3) in [0, 1].

        Parameters
        ----------
        caption : str
            As :func:`helpers.images.robots.parse` reads it. What it leaves open the model chooses.
        temperature : float
            Above 0. The odds of codes are raised to the power of 1 / temperature: below 1 the likely gets likelier.
        top : int, optional
            Draw only among so many of the likeliest codes.
        choose : int
            Paint so many pictures for each one and return the one that the chooser likes best.
        """
        n, choose = validation.integer(n, "n", low=1), validation.integer(choose, "choose", low=1)
        robots.parse(caption)
        words = captions.tokens(caption)
        x = self.paint(np.tile(words, (n * choose, 1)), seed, temperature, top)
        if choose == 1:
            return x
        x = x.reshape(n, choose, *x.shape[1:])
        return x[np.arange(n), self.chooser.scores(np.tile(words, (n, 1)), x).argmax(axis=1)]

    def paint(self, words, seed, temperature=1.0, top=None):
        """Return a picture for each caption, given as words (N, 12): float32 (N, 32, 32, 3)."""
        return self.tokenizer.decode(self.codes(words, seed, temperature, top))

    def codes(self, words, seed, temperature=1.0, top=None):
        """Return codes (N, 8, 8) that are drawn one after the other, for words (N, 12)."""
        words = self._words(words)
        temperature = validation.number(temperature, "temperature", low=0, open_low=True)
        top = self.tokenizer.book if top is None else validation.integer(top, "top", low=1, high=self.tokenizer.book)
        rng = np.random.default_rng(validation.seed(seed))
        parts = [self._draw(words[i : i + PIECE], rng, temperature, top) for i in range(0, len(words), PIECE)]
        return np.concatenate(parts).reshape(-1, SIDE, SIDE)

    def _draw(self, words, rng, temperature, top):
        odds, past = self._begin(words)
        drawn = []
        while True:
            drawn.append(draw(odds.numpy(), rng, temperature, top))
            if len(drawn) == PLACES:
                return np.stack(drawn, axis=1)
            odds, past = self._go_on(drawn[-1][:, None], len(drawn) - 1, past)

    def odds(self, words, codes):
        """Return the logarithms of the odds of each code, float32 (N, 64, book), given words (N, 12) and the codes
        (N, 8, 8) before it."""
        words, codes = self._words(words), np.asarray(codes, np.int32).reshape(-1, PLACES)
        return self._odds(words, codes[:, :-1]).numpy()

    def log_likelihood(self, words, codes):
        """Return log p(codes | words), (N,), of words (N, 12) and codes (N, 8, 8)."""
        words, codes = self._words(words), np.asarray(codes, np.int32).reshape(-1, PLACES)
        found = []
        for i in range(0, len(words), PIECE):
            log_p = tf.nn.log_softmax(self._odds(words[i : i + PIECE], codes[i : i + PIECE, :-1]))
            found.append(tf.reduce_sum(tf.gather(log_p, codes[i : i + PIECE], batch_dims=2), axis=1).numpy())
        return np.concatenate(found)

    @staticmethod
    def _words(words):
        words = np.asarray(words)
        if words.dtype.kind not in "iu" or words.ndim != 2 or words.shape[1] != LENGTH or not len(words):
            raise ValueError(f"words must be whole numbers of shape (N, {LENGTH}), as captions.tokens gives them, but "
                             f"their shape is {words.shape} and their type {words.dtype}")
        if words.min() < 0 or words.max() >= len(WORDS):
            raise ValueError(f"words must lie in 0 … {len(WORDS) - 1}, but they span {words.min()} … {words.max()}")
        return words.astype(np.int32)


def draw(odds, rng, temperature=1.0, top=None):
    """Draw a code for each row of logarithms of odds (N, book): int32 (N,).

    The largest of log p / temperature and Gumbel noise is a draw from p to the power of 1 / temperature.
    """
    odds = odds / np.float32(temperature)
    if top is not None and top < odds.shape[1]:
        odds = np.where(odds >= np.partition(odds, -top, axis=1)[:, -top, None], odds, -np.inf)
    return (odds + rng.gumbel(size=odds.shape).astype(np.float32)).argmax(axis=1).astype(np.int32)
