"""Picture to picture: one U-Net, and one loss of which four settings are four methods.

After Isola et al. 2017 (arXiv:1611.07004), "pix2pix". A generator is given a picture y and noise z, and answers with
another picture of the same place. A discriminator looks at patches of the pair (y, x). With ``answers`` = k the
generator minimises

    the distance of the nearest of k answers G(y, z₁) … G(y, z_k) from the truth x,
    plus ``adversarial`` · -log D(y, G) of that answer

where the distance is a mean over pixels, of squares ("l2") or of absolute values ("l1"). With k = 1 and no
discriminator that is regression; with a discriminator it is the paper's loss. With k > 1 a truth that could have been
another one pulls only at the answer that lies nearest (conditional IMLE: Li, Zhang and Malik 2019, arXiv:1811.12373),
and the noise has a use.

Two differences from the paper: noise is a vector that scales and shifts the features of every layer of the way up,
and perhaps a grain of the picture, where the paper has dropout; and nothing is normalised over places, so that a
picture of any size is painted as its parts would be. The discriminator has the R1 penalty of ``helpers.models.gan``.
With few pairs to learn from it can be given ``eyes``: beside the pixels it then sees what a network trained on
photographs sees in x (Kumari et al. 2022, arXiv:2112.09130; Sauer et al. 2021, arXiv:2111.01007).
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import pretrained, validation
from helpers.models.features import colour_batch
from helpers.models.pairs import WORLDS
from helpers.training import Player, split

LATENT = 8  # numbers of noise
STRIDE = 8  # the sides of a picture are multiples of it
FIELD = 18  # pixels: the side of the patch that one number of the discriminator sees
EYES = ("stem", "depthwise1")  # layers of ``helpers.models.features``, at a half and at a quarter of the size
PIECE = 65536  # pixels that go through the network at once, unless one picture has more
LARGEST = 4_000_000  # pixels of a picture

# --------------------------------------------------------------------------------------------- networks


def build_generator(widths=(16, 24, 32, 48), centre=0.0, spread=1.0, grain=0):
    """Return the network (picture (N, H, W, 3 + grain), noise (N, 8)) → picture (N, H, W, 3): a U-Net.

    ``widths`` are the channels at the full size, a half, a quarter and an eighth of it. ``centre`` and ``spread`` are
    the mean and the standard deviation of the pictures given, which are taken out of them first. On the way up the
    features of each size are joined to those that the way down had there, and scaled and shifted by what the noise
    says. At last comes what is added to the picture. Answers may leave [0, 1] a little: a sigmoid, which would keep
    them inside, left the training where all is white, since its slope there is nought.

    With ``grain`` each pixel has so many random numbers beside its colours, of which textures can be made where the
    picture is flat. And features are then enlarged by repeating them, before a convolution: of flat features a
    transposed convolution makes a lattice, and a discriminator that asks for texture can teach it to.
    """
    y, z = keras.Input((None, None, 3 + grain)), keras.Input((LATENT,))
    said = _leaky(layers.Dense(32)(_leaky(layers.Dense(32)(z))))
    colours = y[..., :3] if grain else y
    h = layers.Rescaling(1 / spread, -centre / spread)(colours)
    h = layers.Concatenate()([h, y[..., 3:]]) if grain else h
    h = _leaky(layers.Conv2D(widths[0], 3, padding="same")(h))
    passed = []
    for width in widths[1:]:
        passed.append(h)
        h = _leaky(layers.Conv2D(width, 4, strides=2, padding="same")(h))
    h = _leaky(_modulated(h, said))
    for width in widths[-2::-1]:
        if grain:
            h = layers.Conv2D(width, 3, padding="same")(layers.UpSampling2D()(h))
        else:
            h = layers.Conv2DTranspose(width, 4, strides=2, padding="same")(h)
        h = _leaky(_modulated(layers.Concatenate()([h, passed.pop()]), said))
    h = _leaky(layers.Conv2D(24, 1)(h))
    x = layers.Add(dtype="float32")([colours, layers.Conv2D(3, 3, padding="same", dtype="float32")(h)])
    return keras.Model([y, z], x, name="generator")


def build_discriminator(widths=(24, 48, 64), eyes=False):
    """Return the network (picture y, picture x) → logits (N, H / 4, W / 4, 1): positive where a patch looks real.

    Each logit sees 18 × 18 pixels of both pictures and nothing else ("PatchGAN"). With ``eyes`` the features ``EYES``
    of x are joined to its own features of the same size. They stay as they were trained, and with them a logit sees
    20 × 20 pixels of x.
    """
    y, x = keras.Input((None, None, 3)), keras.Input((None, None, 3))
    seen = _seen(x) if eyes else [None, None]
    h = layers.Rescaling(2.0, -1.0)(layers.Concatenate()([y, x]))
    for width, more in zip(widths[:2], seen, strict=True):
        h = _leaky(layers.Conv2D(width, 4, strides=2, padding="same")(h))
        h = h if more is None else layers.Concatenate()([h, more])
    h = _leaky(layers.Conv2D(widths[2], 3, padding="same")(h))
    return keras.Model([y, x], layers.Conv2D(1, 1, dtype="float32")(h), name="discriminator")


def _seen(x):
    """Return what the layers ``EYES`` see in pictures. They are copies, and no training changes them."""
    seen = {}
    for layer in pretrained.load("features").part(EYES).layers[1:]:  # one behind the other
        x = seen[layer.name] = layer(x)
    return [seen[name] for name in EYES]


def _leaky(h):
    return layers.LeakyReLU(0.2)(h)


def _modulated(h, said):
    scale, shift = (layers.Reshape((1, 1, h.shape[-1]))(layers.Dense(h.shape[-1])(said)) for _ in range(2))
    return h * (1 + scale) + shift


# --------------------------------------------------------------------------------------------- training


class Training:
    """Pairs of a world; the generator minimises the loss above, and the discriminator tells real pairs from painted."""

    def __init__(self, recipe):
        options = recipe.options
        self.ready = Translator.blank(recipe)
        self.networks = self.ready.networks
        self.world = WORLDS[options["world"]]()
        self.power, self.grain = {"l1": 1, "l2": 2}[options["distance"]], self.ready.grain
        self.answers, self.weight, self.penalty = options["answers"], options["adversarial"], options.get("r1", 0.0)
        self.players = [Player("generator", ["generator"], self.generator_loss)]
        if self.weight:
            self.players.insert(0, Player("discriminator", ["discriminator"], self.discriminator_loss))

    def draw(self, seed, batch):
        """Return pictures y (batch, h, w, 3), with their grain as further channels, and x (batch, h, w, 3), and noise
        (batch, answers + 1, 8): the last is the discriminator's."""
        seeds = split(seed, 2)
        y, x = self.world.draw(seeds[0], batch)
        if self.grain:
            grain = tf.random.stateless_normal([*x.shape[:3], self.grain], split(seeds[1], 1)[0])
            y = tf.concat([y, grain], axis=-1)
        return y, x, tf.random.stateless_normal([batch, self.answers + 1, LATENT], seeds[1])

    def distance(self, x, answer):
        """Return how far each answer is from the truth, (N,): the mean of absolute values or of squares."""
        return tf.reduce_mean(tf.abs(x - answer) ** self.power, [1, 2, 3])

    def nearest(self, y, x, z):
        """Return of the noises z (N, k, 8) those whose answers come nearest, (N, 8)."""
        if self.answers == 1:
            return z[:, 0]
        generator = self.networks["generator"]
        far = [self.distance(x, generator([y, z[:, k]], training=True)) for k in range(self.answers)]
        return tf.gather(z, tf.argmin(far), batch_dims=1)

    def generator_loss(self, batch):
        """Return the distance of the nearest answer, and its weight times -log D of it."""
        y, x, z = batch
        answer = self.networks["generator"]([y, tf.stop_gradient(self.nearest(y, x, z))], training=True)
        loss = tf.reduce_mean(self.distance(x, answer))
        if self.weight:
            logit = self.networks["discriminator"]([y[..., :3], answer], training=True)
            loss += self.weight * tf.reduce_mean(tf.nn.softplus(-logit))
        return loss

    def discriminator_loss(self, batch):
        """Return -log D(y, x) - log(1 - D(y, G)), and the squared slope of D at a quarter of the real pairs."""
        y, x, z = batch
        discriminator = self.networks["discriminator"]
        painted, y = self.networks["generator"]([y, z[:, -1]], training=True), y[..., :3]
        real, taken = discriminator([y, x], training=True), discriminator([y, painted], training=True)
        quarter = tf.maximum(tf.shape(x)[0] // 4, 1)
        some = x[:quarter]
        with tf.GradientTape() as tape:
            tape.watch(some)
            logit = discriminator([y[:quarter], some], training=True)
            total = tf.reduce_sum(logit)
        patches = tf.cast(tf.size(logit) // quarter, tf.float32)
        slope = tf.reduce_sum(tf.square(tape.gradient(total, some)), [1, 2, 3]) / patches
        return (tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(taken))
                + 0.5 * self.penalty * tf.reduce_mean(slope))

    def watch(self):
        """Return the world's held-out metrics, on few pictures."""
        return self.world.watch(self.ready)

    def evaluate(self):
        """Return the world's held-out metrics beside its baselines."""
        return self.world.evaluate(self.ready)


class Translator:
    """The networks with NumPy in and out: ``translate``, ``realism``."""

    def __init__(self, networks):
        self.networks, channels = networks, networks["generator"].input_shape[0][-1]
        self.grain = channels - 3
        self._generate = tf.function(
            lambda y, z: networks["generator"]([y, z], training=False),
            input_signature=[tf.TensorSpec([None, None, None, channels]), tf.TensorSpec([None, LATENT])])

    @classmethod
    def blank(cls, recipe):
        """Return an untrained one, which weights are then read into."""
        networks = {"generator": build_generator(**recipe.options.get("generator", {}))}
        if recipe.options["adversarial"]:
            networks["discriminator"] = build_discriminator(**recipe.options.get("discriminator", {}))
        return cls(networks)

    def translate(self, y, seed=0):
        """Return an answer to each picture: shaped like ``y``, float32 in [0, 1].

        Parameters
        ----------
        y : array, shape (H, W, 3) or (N, H, W, 3)
            Pictures in [0, 1] of any size up to four million pixels each.
        seed : int
            Decides the noise. The same seed gives the same answer.
        """
        pictures = colour_batch(y, "y")
        rng = np.random.default_rng(validation.seed(seed))
        z = rng.standard_normal((len(pictures), LATENT), dtype=np.float32)
        height, width = pictures.shape[1:3]
        if height * width > LARGEST:
            raise ValueError(f"y has {height} × {width} pixels, expected at most {LARGEST:,} in all: cut it into parts")
        margins = [(0, 0), (0, -height % STRIDE), (0, -width % STRIDE), (0, 0)]
        padded = np.pad(pictures, margins, mode="edge")
        if self.grain:
            grain = rng.standard_normal((*padded.shape[:3], self.grain), dtype=np.float32)
            padded = np.concatenate([padded, grain], axis=-1)
        piece = max(1, PIECE // (height * width))
        x = np.concatenate([self._generate(padded[i : i + piece], z[i : i + piece]).numpy()
                            for i in range(0, len(z), piece)])
        return np.clip(x[:, :height, :width], 0, 1).reshape(np.shape(y))

    def realism(self, y, x):
        """Return the discriminator's logits for the patches of pairs, (N, ⌈H / 4⌉, ⌈W / 4⌉): positive for real.

        The patch of logit (i, j) begins at row 4 i - 7 and column 4 j - 7 and has 18 × 18 pixels, or of x, with eyes,
        20 × 20.
        """
        if "discriminator" not in self.networks:
            raise ValueError("this translator was trained without a discriminator: ask one whose recipe has one")
        y, x = colour_batch(y, "y"), colour_batch(x, "x")
        validation.same_shape(x, "x", y, "y")
        return self.networks["discriminator"]([y, x], training=False).numpy()[..., 0]
