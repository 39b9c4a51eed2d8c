"""The worlds that diffusion models learn: what a training draws, and how samples are judged.

A world has the ``shape`` of its pictures, the ``choices`` of its conditions, mean and standard deviation of its pixels
(``centre``, ``spread``), ``draw(seed, batch, deform)`` for batches in the graph, and ``watch(model)`` and
``evaluate(model)`` for held-out metrics. Its ``marks`` are further conditions that training alone sets, such as
"deformed": samples, of which nothing of the kind is said, come out as the real pictures are (Karras et al. 2022,
arXiv:2206.00364, appendix F.2).
"""

import numpy as np
import tensorflow as tf

from helpers import metrics, pretrained
from helpers.images import digits, earth, robots
from helpers.league import digit_tasks
from helpers.models.augment import draw_digits
from helpers.models.vae import _quality
from helpers.training import split

DISCS = 5  # speckles of a ground
NEAR = 0.06  # root mean square: so near a sample has to be to a robot of the world
LEVELS = (0.1, 0.3, 1.0, 3.0)  # noise levels at which held-out pictures are denoised


def denoising_error(model, x, label=None, seed=0):
    """Return the root mean square error of denoised pictures at each of ``LEVELS``: what a prior is worth.

    The same seed draws the same noise, so that models can be compared.
    """
    noise, found = np.random.default_rng(seed).standard_normal(x.shape, dtype=np.float32), {}
    for sigma in LEVELS:
        error = model.denoise(x + np.float32(sigma) * noise, sigma, label) - x
        found[f"error at σ = {sigma:g}"] = float(np.sqrt(np.mean(error**2)))
    return found


class LinearDenoiser:
    """The best linear denoiser of some pictures: only their mean and covariance are looked at (Wiener's filter)."""

    def __init__(self, pictures):
        flat = pictures.reshape(len(pictures), -1)
        self.shape, self.mean = pictures.shape[1:], flat.mean(axis=0)
        values, self.directions = np.linalg.eigh(np.cov(flat, rowvar=False))
        self.variances = np.maximum(values, 0)

    def denoise(self, x, sigma, label=None):
        """Return the denoised pictures; what they show makes no difference."""
        along = (x.reshape(len(x), -1) - self.mean) @ self.directions
        return (self.mean + (self.variances / (self.variances + sigma**2) * along) @ self.directions.T).reshape(x.shape)

    def sample(self, n, seed):
        """Return Gaussian pictures (n, ...) of the same mean and covariance, in [0, 1]."""
        drawn = np.random.default_rng(seed).standard_normal((n, len(self.mean))) * np.sqrt(self.variances)
        return np.clip(self.mean + drawn @ self.directions.T, 0, 1).reshape(n, *self.shape)


def beside(errors, **baselines):
    """Return a table of errors with those of the baselines beside them."""
    return {name: {"value": value, **{who: other[name] for who, other in baselines.items()}}
            for name, value in errors.items()}


class Digits:
    """MNIST digits with their class as a condition. Two of three are deformed at random, and marked as such."""

    shape, choices, marks = (28, 28, 1), (10,), (1,)
    centre, spread = 0.13, 0.31

    def __init__(self, judge):
        data = digits()
        self.x_train, self.y_train = tf.constant(data.x_train), tf.constant(data.y_train)
        self.held_out, self.judge = (data.x_test, data.y_test), judge

    def draw(self, seed, batch, deform):
        """Return digits (batch, 28, 28, 1), and (batch, 2) their classes and 0 for deformed, -1 for not."""
        bent, index = draw_digits(self.x_train, seed, batch, deform)
        mark = tf.minimum(tf.range(batch) % 3, 1) - 1  # -1, 0, 0, -1, 0, 0, …
        x = tf.where((mark < 0)[:, None, None, None], tf.gather(self.x_train, index), bent)
        return x, tf.stack([tf.cast(tf.gather(self.y_train, index), tf.int32), mark], axis=1)

    def watch(self, model):
        """Return the errors of held-out digits, and what a thousand samples are worth."""
        x = model.sample(1000, 0, np.arange(1000) % 10)
        quality = digit_tasks.sample_quality(x, self.judge)
        return {**denoising_error(model, *self.held_out), "multiple of the floor": quality.multiple,
                "asked": self._as_asked(x), "nearest": self._nearest(x[:500]) / self._nearest(self.held_out[0])}

    def _as_asked(self, x):
        """Return the share of samples that are read as the class that was asked for, 0, 1, … 9, 0, 1, …"""
        return float(np.mean(self.judge.read(x) == np.arange(len(x)) % 10))

    def _nearest(self, x):
        """Return the mean distance of pictures from the nearest training digit: root mean square over pixels."""
        x, known = x.reshape(len(x), -1), self.x_train.numpy().reshape(len(self.x_train), -1)
        squares = (x**2).sum(1)[:, None] - 2 * x @ known.T + (known**2).sum(1)
        return float(np.mean(np.sqrt(np.maximum(squares.min(1), 0) / x.shape[1])))

    def evaluate(self, model):
        """Return what 5,000 samples are worth, without new noise, with it, and with guidance, beside as many of the
        shipped GAN, which are measured in the same way: all classes equally often. Then how near the first 500 come to
        training digits, and 500 held-out ones, of each class as many; and how well held-out digits are denoised.
        """
        asked, how = np.arange(5000) % 10, {"sampler": "heun", "steps": 9}
        ways = {"": how, ", DDPM": {"sampler": "ddpm", "steps": 18}, ", guidance 1.5": how | {"guidance": 1.5}}
        drawn = {f"5,000 samples{name}": (model.evaluations(**way), model.sample(5000, 0, asked, **way))
                 for name, way in ways.items()}
        drawn["5,000 samples of the GAN"] = 1, pretrained.load("gan").sample(5000, 0, asked)
        nearest = [self._nearest(x[:500]) for _, x in drawn.values()] + [self._nearest(self.held_out[0])]
        linear = LinearDenoiser(self.x_train.numpy())
        return {**{name: {"network evaluations a picture": price, **_quality(x, self.judge, interval=True),
                          "read as the class asked for": self._as_asked(x)} for name, (price, x) in drawn.items()},
                "distance from the nearest training digit": dict(zip(
                    ("value", "DDPM", "guidance 1.5", "gan", "held-out digits"), nearest, strict=True)),
                **beside(denoising_error(model, *self.held_out), linear=denoising_error(linear, *self.held_out))}


def robot_parts():
    """Return the drawn parts of robots for :func:`paste`: from each kind to a tensor (100, 32, 32, 4)."""
    return {kind: tf.constant(part.reshape(100, 32, 32, 4)) for kind, part in robots.parts(32).items()}


def paste(parts, attributes, ground=None):
    """Return the pictures (N, 32, 32, 3) of attributes (N, 6), as ``robots.render`` does outside the graph, on a
    ground (N, 32, 32, 3) or on white."""
    x = tf.ones([1, 32, 32, 3]) if ground is None else ground
    for column, part in enumerate(parts.values(), start=1):
        part = tf.gather(part, 10 * attributes[:, 0] + attributes[:, column])
        x = part[..., :3] + (1 - part[..., 3:]) * x
    return tf.clip_by_value(x, 0, 1)


class Robots:
    """Robots on white with their six attributes as conditions: unlimited pictures, pasted in the graph."""

    shape, choices, marks = (32, 32, 3), (10,) * 6, ()
    centre, spread = 0.86, 0.26

    def __init__(self, judge=None):
        self.parts = robot_parts()
        self.numbers = tf.constant(self.allowed_numbers())

    @staticmethod
    def allowed_numbers():
        """Return the numbers of all robots without a held-out pair, int32."""
        return np.flatnonzero(robots.allowed(robots.from_index(np.arange(robots.WORLD)))).astype(np.int32)

    def draw(self, seed, batch, deform=0):
        """Return robots (batch, 32, 32, 3) without a held-out pair and their attributes (batch, 6)."""
        which = tf.random.stateless_uniform([batch], seed, 0, len(self.numbers), tf.int32)
        said = tf.gather(self.numbers, which)[:, None] // [100000, 10000, 1000, 100, 10, 1] % 10
        return self.paste(said), said

    def paste(self, attributes):
        """Return the pictures (N, 32, 32, 3) of attributes (N, 6), as ``robots.render`` does outside the graph."""
        return paste(self.parts, attributes)

    def watch(self, model):
        """Return the errors of robots told and not told, and how 100 samples of each kind came out."""
        asked = robots.draw_robots(256, 1)
        x = robots.render(asked)
        return {**denoising_error(model, x, asked),
                **{f"{name}, untold": value for name, value in denoising_error(model, x).items()},
                "as asked": self._as_asked(model, 100, "train")["all six"],
                "as asked, held-out pairs": self._as_asked(model, 100, "held-out")["all six"],
                **self._untold(model, 100)}

    def _as_asked(self, model, count, split, guidance=1.0):
        """Return the share of robots that came out with all six attributes as asked for, and for each attribute."""
        asked = robots.draw_robots(count, 2, split)
        right = robots.read(model.sample(count, 0, asked, guidance=guidance))[0] == asked
        shares = {name: float(right[:, k].mean()) for k, name in enumerate(robots.ATTRIBUTES)}
        return {"all six": float(right.all(1).mean()), **shares}

    def _untold(self, model, count):
        """Return how many samples without a caption are robots of the world, and how many show a pair held out."""
        read, far = robots.read(model.sample(count, 0))
        return {"within 0.03 of a robot": float((far < 0.03).mean()), "median distance": float(np.median(far)),
                "pairs held out": float((~robots.allowed(read)).mean())}

    def evaluate(self, model):
        """Return the shares of :meth:`watch` for a thousand samples each, with and without guidance, and the errors of
        denoised robots beside those of the best linear denoiser."""
        report = {}
        for part, what in (("train", "pairs seen"), ("held-out", "pairs held out")):
            for guidance in (1.0, 2.0):
                report[f"as asked, {what}, guidance {guidance:g}"] = self._as_asked(model, 1000, part, guidance)
        report["network evaluations"] = {f"guidance {w:g}": model.evaluations("heun", 9, w) for w in (1.0, 2.0)}
        held_out = robots.draw_robots(500, 3, "held-out")
        x = robots.render(held_out)
        linear = denoising_error(LinearDenoiser(robots.render(robots.draw_robots(6000, 4))), x)
        told, untold = denoising_error(model, x, held_out), denoising_error(model, x)
        return {**report, "without a caption": self._untold(model, 1000),
                **beside(told, untold=untold, linear=linear)}


def speckled(numbers):
    """Return the grounds (N, 32, 32, 3) of random numbers (N, discs, 6), as ``robots.speckles`` does outside the
    graph: row, column, radius and three of colour."""
    middle = tf.range(32, dtype=tf.float32) + 0.5
    down = tf.square(middle - 32 * numbers[..., 0:1])
    across = tf.square(middle - 32 * numbers[..., 1:2])
    radius = 1 + 2 * numbers[..., 2, None, None]
    inside = tf.clip_by_value(radius + 0.5 - tf.sqrt(down[..., None] + across[:, :, None]), 0, 1)
    above = tf.math.cumprod(1 - inside, axis=1, exclusive=True, reverse=True)  # what later discs leave of it
    discs = tf.einsum("nkhw,nkc->nhwc", inside * above, numbers[..., 3:])
    return tf.clip_by_value(discs + tf.reduce_prod(1 - inside, axis=1)[..., None], 0, 1)


def on_speckles(attributes, seed):
    """Return the pictures (N, 32, 32, 3) of attributes (N, 6), each on a ground of its own."""
    return robots.render(attributes, background=robots.speckles(len(attributes), 32, seed, DISCS).background)


class SpeckledRobots(Robots):
    """Robots on speckled ground without conditions, for a model that samples both."""

    def draw(self, seed, batch):
        """Return robots (batch, 32, 32, 3) without a held-out pair, each on a ground of its own."""
        seeds = split(seed, 2)
        said = super().draw(seeds[0], batch)[1]
        ground = speckled(tf.random.stateless_uniform([batch, DISCS, 6], seeds[1]))
        return paste(self.parts, said, ground)

    def watch(self, model):
        """Return what 500 samples are worth."""
        return self.judge(model.sample(500, 0))

    def judge(self, x):
        """Return how many pictures are robots of the world, and how evenly the values of their attributes occur.

        The distance from the nearest robot is the root mean square over that robot's own pixels, or, "over the
        picture", with all that lies outside of it taken for right. "bits" is the entropy of an attribute, of at most
        3.32, in the mean over the six.
        """
        read, far = robots.read(x, "speckles")
        over = far * np.sqrt(robots.cover(read).mean(axis=(1, 2)))
        shares = np.stack([np.bincount(values, minlength=robots.CHOICES) for values in read.T]) / len(x)
        bits = -np.sum(shares * np.log2(np.maximum(shares, 1e-12)), axis=1)
        return {f"within {NEAR}": float((far < NEAR).mean()), f"within {NEAR} over the picture":
                float((over < NEAR).mean()), "median distance": float(np.median(far)),
                "rarest value": float(shares.min()), "most frequent value": float(shares.max()),
                "bits": float(bits.mean()), "pairs held out": float((~robots.allowed(read)).mean())}

    def evaluate(self, model):
        """Return what 5,000 samples are worth beside as many robots of the world, and 500 at other truncations; what
        mixing, new noise and walks between two robots do."""
        real = on_speckles(robots.draw_robots(5000, 5), 5)
        return {"5,000 samples": self.judge(model.sample(5000, 1)), "5,000 robots of the world": self.judge(real),
                **{f"500 samples, truncation {psi:g}": self.judge(model.sample(500, 2, truncation=psi))
                   for psi in (0.25, 0.5, 0.75, 1, 1.25)},
                **self.mixing(model, 300), "changed by new noise": self.shaking(model, 300),
                **{f"straight walks in {space}": self.walking(model, space, 25) for space in "zw"}}

    def mixing(self, model, count, seed=3):
        """Return for each attribute the share of ``count`` pairs of robots in which it becomes the other robot's if
        some layers get its style: one layer alone, or all up to it. Only pairs that differ in it are counted."""
        w, other = model.styles(np.random.default_rng(seed).standard_normal((2 * count, model.latent))).reshape(
            2, count, -1)
        here, there = (robots.read(model.draw(styles, seed), "speckles")[0] for styles in (w, other))
        report, differ = {}, here != there
        alone = {f"layer {k} of another robot": [k] for k in range(model.layers)}
        upto = {f"layers 0 to {k} of another robot": range(k + 1) for k in range(model.layers)}
        for name, layers in (alone | upto).items():
            read = robots.read(model.draw(model.mix(w, other, layers), seed), "speckles")[0]
            report[name] = {attribute: float((read == there)[differ[:, k], k].mean()) if differ[:, k].any() else 0.0
                            for k, attribute in enumerate(robots.ATTRIBUTES)}
        return report

    def shaking(self, model, count, seed=4):
        """Return in which share of ``count`` samples new noise changes each attribute, and by how much, root mean
        square, it changes the robot's own pixels and the ground."""
        w = model.styles(np.random.default_rng(seed).standard_normal((count, model.latent)))
        x, y = model.draw(w, seed), model.draw(w, seed + 1)
        before, after = (robots.read(picture, "speckles")[0] for picture in (x, y))
        robot, squares = robots.cover(before), np.square(x - y).mean(axis=-1)
        return {**{name: float((before != after)[:, k].mean()) for k, name in enumerate(robots.ATTRIBUTES)},
                "robot's pixels": float(np.sqrt((robot * squares).sum() / robot.sum())),
                "ground": float(np.sqrt(((1 - robot) * squares).sum() / (1 - robot).sum()))}

    def walking(self, model, space, count, steps=20, seed=6):
        """Return what is met on straight walks between ``count`` pairs of samples, in equal steps of z or of w.

        How many of the pictures on the way are robots, without the ends; how many attributes change from one step to
        the next, and at how many the ends differ; how long a walk is, as a sum of root mean squares of the steps, in
        units of the direct difference of its ends; and how large the largest step is, in such units.
        """
        z = np.random.default_rng(seed).standard_normal((2 * count, model.latent))
        ends = {"z": z, "w": model.styles(z)}[space].reshape(2, count, -1)
        far = np.linspace(0, 1, steps + 1)[:, None, None]
        way = ((1 - far) * ends[0] + far * ends[1]).reshape((steps + 1) * count, -1)
        noise = np.tile(model.noise(count, seed), (steps + 1, 1))
        x = model.draw(model.styles(way) if space == "z" else way, noise=noise)
        read, off = robots.read(x, "speckles")
        x, read, off = (values.reshape(steps + 1, count, *values.shape[1:]) for values in (x, read, off))
        step = np.sqrt(np.square(np.diff(x, axis=0)).mean(axis=(2, 3, 4)))
        direct = np.sqrt(np.square(x[-1] - x[0]).mean(axis=(1, 2, 3)))
        return {f"within {NEAR} on the way": float((off[1:-1] < NEAR).mean()),
                "attributes changed": float((np.diff(read, axis=0) != 0).sum() / count),
                "attributes to change": float((read[0] != read[-1]).sum() / count),
                "length": float(np.mean(step.sum(axis=0) / direct)),
                "largest step": float(np.mean(step.max(axis=0) / direct))}


TURNS = (lambda x: tf.transpose(x, [0, 2, 1, 3]), lambda x: x[:, ::-1], lambda x: x[:, :, ::-1])  # all of the square


class Earth:
    """Satellite pictures of the Earth, 32 × 32, without conditions; held out are two continents.

    Windows are cut at random from larger patches. Two of three are turned or mirrored, and marked as such.
    """

    shape, choices, marks = (32, 32, 3), (), (1,)
    centre, spread = 0.29, 0.19

    def __init__(self, judge=None):
        self.patches = tf.constant(np.rint(255 * earth.patches("train", 64)).astype(np.uint8))
        self.held_out = np.concatenate([earth.patches(name, 32) for name in ("australia", "south-america")])

    def draw(self, seed, batch, deform=0):
        """Return windows (batch, 32, 32, 3), and (batch, 1) 0 for turned or mirrored, -1 for not."""
        seeds = split(seed, 3)
        x = tf.gather(self.patches, tf.random.stateless_uniform([batch], seeds[0], 0, len(self.patches), tf.int32))
        corner = tf.random.stateless_uniform([batch, 2, 1], seeds[1], 0, 33, tf.int32) + tf.range(32)
        x = tf.gather(tf.gather(x, corner[:, 0], batch_dims=1), corner[:, 1], axis=2, batch_dims=1)
        mark = tf.minimum(tf.range(batch) % 3, 1) - 1  # -1, 0, 0, -1, 0, 0, …
        turned = (tf.random.stateless_uniform([3, batch], seeds[2]) < 0.5) & (mark == 0)
        for some, turn in zip(tf.unstack(turned[..., None, None, None]), TURNS, strict=True):
            x = tf.where(some, turn(x), x)
        return tf.cast(x, tf.float32) / 255, mark[:, None]

    def watch(self, model):
        """Return the errors on held-out continents, and the distance of 300 samples from training patches."""
        return {**denoising_error(model, self.held_out),
                "texture": texture_distance(model.sample(300, 0), earth.patches("train", 32))}

    def evaluate(self, model):
        """Return the errors on held-out continents beside the best linear denoiser's, and the Fréchet distance of the
        textures of 1,000 samples beside that of one half of the training patches from the other."""
        train = earth.patches("train", 32)
        half = len(train) // 2
        linear = LinearDenoiser(train)
        return {**beside(denoising_error(model, self.held_out), linear=denoising_error(linear, self.held_out)),
                "Fréchet distance of textures": {
                    "value": texture_distance(model.sample(1000, 0), train[:half]),
                    "floor": texture_distance(train[half:], train[:half]),
                    "linear": texture_distance(linear.sample(1000, 0), train[:half])},
                "network evaluations": {"value": model.evaluations("heun", 9)}}


def texture(x):
    """Return twelve numbers of each picture (N, h, w, 3): for each channel its mean, and the logarithms of its standard
    deviation and of its mean change over one pixel and over four."""
    def size(values):
        return np.log(np.abs(values).mean(axis=(1, 2)) + 1e-3)

    mean = x.mean(axis=(1, 2))
    changes = [size(x[:, step:] - x[:, :-step]) + size(x[:, :, step:] - x[:, :, :-step]) for step in (1, 4)]
    return np.concatenate([mean, size(x - mean[:, None, None]), *changes], axis=1)


def texture_distance(x, real):
    """Return the Fréchet distance between the :func:`texture` of two sets of pictures, each number measured in standard
    deviations of the real ones."""
    scale = texture(real).std(axis=0)
    return float(metrics.frechet_distance(texture(x) / scale, texture(real) / scale))


WORLDS = {"digits": Digits, "robots": Robots, "earth": Earth}
