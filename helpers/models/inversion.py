"""Restoration with a generator: find the z whose picture explains the measurement.

For a measurement y = A x + n of a digit x = G(z, c), the most probable z minimises

    |A G(z, c) - y|² / (2 s²)  +  ½ |z|²  -  w log D(G(z, c), c)

The first term is the *context*: agree with the pixels that are known (Yeh et al. 2017, doi:10.1109/CVPR.2017.728).
The second is the prior of z (Bora et al. 2017, arXiv:1703.03208), the third Yeh's prior: look real to the
discriminator. s² = σ² + s_G² allows for noise and for what the generator cannot draw. The problem is not convex, so
it is solved from several starts; the starts that end well are several answers to one question.

The starts are random, or come from an encoder: a network that was shown pairs of (z, c) and damaged G(z, c), and has
learned the distribution q(z, c | y).
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import validation
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.models.augment import draw_digits
from helpers.models.restorer import draw_damage, measurements
from helpers.models.vae import CLASSES, GENERATOR_ERROR, one_hot
from helpers.training import Player, split

STARTS = ("encoder", "random")


def build(latent, width=32):
    """Return the encoder: (y, mask, sigma) (N, 28, 28, 3) and class (N, 10) → class logits, mean and log variance of
    z."""
    y, label = keras.Input((28, 28, 3)), keras.Input((CLASSES,))
    h = y
    for filters in (width, 2 * width, 4 * width):
        h = layers.Conv2D(filters, 4, strides=2, padding="same", activation="relu", kernel_initializer="he_normal")(h)
        h = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(h)
    h = layers.Dense(256, activation="relu", kernel_initializer="he_normal")(layers.Flatten()(h))
    logits = layers.Dense(CLASSES, dtype="float32")(h)
    h = layers.Dense(256, activation="relu", kernel_initializer="he_normal")(layers.Concatenate()([h, label]))
    return keras.Model([y, label], [logits, layers.Dense(latent, dtype="float32")(h),
                                    layers.Dense(latent, dtype="float32")(h)], name="encoder")


class Training:
    """Generated digits with their z, and real ones, all damaged.

    The loss is -log q(c | y) - log q(z | y, c) for generated digits. Real digits have no z: there the picture that
    the encoder's z gives must be near the digit, and the class right.
    """

    def __init__(self, recipe, judge, gan):
        self.ready = Inverter.blank(recipe, gan)
        self.networks = self.ready.networks
        self.generator, self.latent = gan.networks["generator"], gan.latent
        data = digits()
        self.x_train, self.y_train = tf.constant(data.x_train), tf.constant(data.y_train)
        self.held_out, self.judge, self.strength = (data.x_test, data.y_test), judge, recipe.options["strength"]
        self.players = [Player("encoder", ["encoder"], self.loss)]

    def draw(self, seed, batch):
        """Return z, classes and damaged pictures: generated ones at even places of the batch, real ones at odd
        places."""
        seeds = split(seed, 5)
        half = batch // 2
        z = tf.random.stateless_normal([half, self.latent], seeds[0])
        drawn = tf.one_hot(tf.random.stateless_uniform([half], seeds[1], 0, CLASSES, tf.int32), CLASSES)
        fake = tf.cast(self.generator([z, drawn], training=False), tf.float32)
        real, index = draw_digits(self.x_train, seeds[2], half, self.strength)
        label = tf.one_hot(tf.gather(self.y_train, index), CLASSES)
        x, label = _alternate(fake, real), _alternate(drawn, label)
        y, mask, sigma = draw_damage(x, seeds[3])
        return _alternate(z, tf.zeros_like(z)), label, x, tf.concat([y, mask, sigma], -1)

    def loss(self, batch):
        """Return the mean loss over generated and real digits."""
        z, label, x, damaged = batch
        logits, mean, log_variance = self.networks["encoder"]([damaged, label], training=True)
        log_variance = tf.clip_by_value(log_variance, -8.0, 4.0)
        named = tf.nn.softmax_cross_entropy_with_logits(label, logits)
        found = 0.5 * tf.reduce_mean(tf.square(z - mean) * tf.exp(-log_variance) + log_variance, 1)
        drawn = tf.cast(self.generator([mean[1::2], label[1::2]], training=False), tf.float32)
        missed = tf.reduce_mean(tf.square(drawn - x[1::2]), [1, 2, 3])
        return (tf.reduce_mean(named) + tf.reduce_mean(found[::2]) + 10 * tf.reduce_mean(missed)
                + 0.05 * tf.reduce_mean(tf.square(mean[1::2])))

    def watch(self):
        """Return PSNR and readable share of the encoder's own answer, without any search, on 200 held-out digits."""
        x, label = (values[:200] for values in self.held_out)
        return {f"{task} {kind}": value for task in digit_tasks.TASKS for kind, value in
                digit_tasks.score(lambda *m: self.ready.restore(*m, steps=0), x, label, task, self.judge.read).items()}

    def evaluate(self):
        """Return PSNR and readable share on all held-out digits: searched from the encoder's start, and not
        searched."""
        methods = {"value": self.ready.restore, "encoder alone": lambda *m: self.ready.restore(*m, steps=0)}
        return {task: {key: digit_tasks.score(method, *self.held_out, task, self.judge.read)
                       for key, method in methods.items()} for task in digit_tasks.TASKS}


def _alternate(a, b):
    return tf.reshape(tf.stack([a, b], 1), [-1, *a.shape[1:]])


class Answers:
    """Several restorations of each digit, the best-explained first.

    ``x`` (N, n, 28, 28, 1) are the pictures of the generator, ``loss`` (N, n) what was minimised, ``label`` (N, n)
    their classes.
    """

    def __init__(self, x, loss, label):
        self.x, self.loss, self.label = x, loss, label


class Inverter:
    """A generator, its discriminator and an encoder that starts the search."""

    def __init__(self, networks, gan):
        self.networks, self.gan = networks, gan
        self._guess = tf.function(lambda y, c: networks["encoder"]([y, c], training=False), reduce_retracing=True)
        self._search = tf.function(self._descend, reduce_retracing=True, autograph=False)

    @classmethod
    def blank(cls, recipe, gan):
        """Return one with an untrained encoder, which weights are then read into."""
        return cls({"encoder": build(gan.latent, **recipe.options.get("network", {}))}, gan)

    def restore(self, y, operator, sigma, seed=0, n=1, restarts=4, steps=50, start="encoder", realism=0.1):
        """Return the restored digit or digits: shaped like y, or for n > 1 with a new axis of n answers.

        Known pixels without noise are put back, as in Yeh et al.; see :meth:`answers` for the generator's own
        pictures and for the parameters.
        """
        n = validation.integer(n, "n", low=1)
        restarts = validation.integer(restarts, "restarts", low=1)
        found = self.answers(y, operator, sigma, seed, max(restarts, n), steps, start, realism).x[:, :n]
        batch, mask, level = measurements(y, operator, sigma)
        sure = ((mask > 0) & (level == 0))[:, None]
        x = np.where(sure, batch[:, None], found)
        shape = np.shape(y)
        return x[:, 0].reshape(shape) if n == 1 else x[0, ..., 0] if len(shape) == 2 else x

    def answers(self, y, operator, sigma, seed=0, restarts=4, steps=50, start="encoder", realism=0.1):
        """Search from several starts and return the :class:`Answers`.

        Parameters
        ----------
        y : array (28, 28) or (N, 28, 28, 1)
        operator : Identity or Mask, or for a batch a list of N of them
        sigma : float
        seed : int
        restarts : int
            Starts for each digit.
        steps : int
            Gradient steps from each start; 0 shows the starts themselves.
        start : "encoder" or "random"
            Draw classes and z from the encoder's q(z, c | y), or from the prior.
        realism : float
            The weight w of the discriminator's opinion.
        """
        y, mask, level = measurements(y, operator, sigma)
        rng = np.random.default_rng(validation.seed(seed))
        restarts = validation.integer(restarts, "restarts", low=1)
        steps = validation.integer(steps, "steps", low=0)
        validation.choice(start, "start", STARTS)
        realism = validation.number(realism, "realism", low=0)
        label, z = (self._from_encoder if start == "encoder" else self._from_prior)(y, mask, level, restarts, rng)
        repeated = [np.repeat(values, restarts, axis=0) for values in (y, mask)]
        spread = np.float32(1 / (2 * (validation.sigma(sigma) ** 2 + GENERATOR_ERROR**2)))
        classes = one_hot(label)
        x, loss = [], []
        for i in range(0, len(z), 512):
            part = slice(i, i + 512)
            found, cost = self._search(z[part], classes[part], repeated[0][part], repeated[1][part], spread,
                                       np.float32(realism), tf.constant(steps))
            x.append(found.numpy())
            loss.append(cost.numpy())
        x = np.concatenate(x).reshape(len(y), restarts, 28, 28, 1)
        loss, label = np.concatenate(loss).reshape(len(y), restarts), label.reshape(len(y), restarts)
        order = np.argsort(loss, axis=1, kind="stable")
        pick = np.arange(len(y))[:, None]
        return Answers(x[pick, order], loss[pick, order], label[pick, order])

    def _from_prior(self, y, mask, level, restarts, rng):
        """Every class in turn, z from the prior."""
        label = np.stack([rng.permutation(np.arange(max(restarts, CLASSES)) % CLASSES)[:restarts] for _ in y]).ravel()
        return label, rng.standard_normal((len(label), self.gan.latent)).astype(np.float32)

    def _from_encoder(self, y, mask, level, restarts, rng):
        """The first start is the encoder's best guess; the others are drawn from q(c | y) and q(z | y, c)."""
        damaged = np.concatenate([y, mask, level], axis=-1)
        nothing = np.zeros((len(y), CLASSES), np.float32)
        logits = self._in_parts(damaged, nothing)[0]
        chance = np.exp(logits - logits.max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        label = np.stack([rng.choice(CLASSES, size=restarts, p=p.astype(np.float64) / p.sum(dtype=np.float64))
                          for p in chance])
        label[:, 0] = logits.argmax(1)
        label = label.ravel()
        _, mean, log_variance = self._in_parts(np.repeat(damaged, restarts, axis=0), one_hot(label))
        noise = rng.standard_normal(mean.shape).astype(np.float32)
        noise[::restarts] = 0
        return label, mean + np.exp(0.5 * np.clip(log_variance, -8, 4)) * noise

    def _in_parts(self, damaged, label):
        parts = [self._guess(damaged[i : i + 512], label[i : i + 512]) for i in range(0, len(damaged), 512)]
        return [np.concatenate([part[k].numpy() for part in parts]) for k in range(3)]

    def _objective(self, z, label, y, mask, spread, realism):
        x = self.gan.networks["generator"]([z, label], training=False)
        context = spread * tf.reduce_sum(tf.square(mask * x - y), [1, 2, 3])
        prior = 0.5 * tf.reduce_sum(tf.square(z), 1)
        real = tf.nn.softplus(-self.gan.networks["discriminator"]([x, label], training=False)[:, 0])
        return x, context + prior + realism * real

    def _descend(self, z, label, y, mask, spread, realism, steps):
        """Minimise the objective by Adam (Kingma and Ba 2015), all pictures at once; return the pictures and their
        losses."""
        rate, decay, decay_squared = 0.1, 0.9, 0.99

        def step(i, z, momentum, square):
            with tf.GradientTape() as tape:
                tape.watch(z)
                _, loss = self._objective(z, label, y, mask, spread, realism)
                total = tf.reduce_sum(loss)
            slope = tape.gradient(total, z)
            momentum = decay * momentum + (1 - decay) * slope
            square = decay_squared * square + (1 - decay_squared) * tf.square(slope)
            t = tf.cast(i + 1, tf.float32)
            lower = rate * 0.5 * (1 + tf.cos(np.pi * t / (tf.cast(steps, tf.float32) + 1)))
            move = (momentum / (1 - decay**t)) / (tf.sqrt(square / (1 - decay_squared**t)) + 1e-8)
            return i + 1, z - lower * move, momentum, square

        _, z, _, _ = tf.while_loop(lambda i, *_: i < steps, step, (0, z, tf.zeros_like(z), tf.zeros_like(z)))
        return self._objective(z, label, y, mask, spread, realism)
