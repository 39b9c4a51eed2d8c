"""Who trains on what, and who is judged by what: what the book promises its readers.

The data come from one door, so the tests put other data behind it. In two worlds that differ only in what is held out,
everything that trains must be the same to the last bit; every score must come from what is held out alone.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import images
from helpers.images import SPLITS
from helpers.league import digit_tasks
from helpers.metrics import frechet_distance, psnr
from helpers.models import vae, worlds
from tests.unit.worlds import OF_DIGITS, coded_digits, put_digits, put_photos, random_digits, training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did

# ---------------------------------------------------------------------------------------------- who trains on what


def trained_by(made, steps=3, batch=16):
    """Return all that decides the weights: their start, the batches, the losses."""
    values = [v.numpy() for network in made.networks.values() for v in network.variables if v.dtype != "int32"]
    for step in range(steps):
        drawn = made.draw(tf.constant([0, step]), batch)
        values += [t.numpy() for t in tf.nest.flatten(drawn)]
        values += [np.asarray(player.loss(drawn)) for player in made.players]
    return values


def differ(a, b):
    assert len(a) == len(b)
    return [i for i, (one, other) in enumerate(zip(a, b, strict=True)) if not np.array_equal(one, other)]


@pytest.mark.parametrize("name", OF_DIGITS)
def test_no_training_sees_a_held_out_digit(name, monkeypatch):
    """Other held-out digits, other labels, another number of them: the training is the same, bit for bit."""
    worlds = []
    for train, test in ((0, (1, 30)), (0, (2, 45)), (3, (1, 30))):
        put_digits(monkeypatch, random_digits(train, 40), random_digits(*test))
        worlds.append(trained_by(training(name)))
    assert not differ(worlds[0], worlds[1]), "what is held out changes the training"
    assert differ(worlds[0], worlds[2]), "and the training digits must change it"


@pytest.mark.parametrize("name", OF_DIGITS)
def test_every_training_digit_is_trained_on_and_with_its_own_label(name, monkeypatch):
    put_digits(monkeypatch, coded_digits(20, 100), coded_digits(20, 200))
    made = training(name)
    seen, told = set(), 0
    for step in range(12):
        drawn = [t.numpy() for t in tf.nest.flatten(made.draw(tf.constant([0, step]), 16))]
        places = range(1, 16, 2) if name == "inverter" else range(16)  # generated digits stand at even places
        clean = next(t for t in drawn if t.shape == (16, 28, 28, 1))
        levels = np.array([round(255 * clean[i].max()) for i in places])
        seen |= set(levels.tolist())
        assert levels.max() < 120, "a held-out digit"
        if name != "restorer":  # which is told no label
            label = labels(name, drawn)[list(places)]
            said = label >= 0
            assert np.array_equal(label[said], levels[said] % 10)
            told += said.sum()
    assert seen == set(range(100, 120))
    assert name == "restorer" or told > 12 * len(places) // 2


def labels(name, drawn):
    """Return the classes of a batch, -1 where one is not said."""
    if name.startswith("diffusion"):
        return drawn[1][:, 0]
    label = next(t for t in drawn if t.shape in ((16,), (16, 10)))
    return label if label.ndim == 1 else label.argmax(1)


def test_the_denoiser_trains_on_the_training_photographs_alone(monkeypatch):
    def world(**changed):
        put_photos(monkeypatch, {"train": 0, "test": 1, "other": 2} | changed)
        return trained_by(training("denoiser"))

    first = world()
    for split in ("test", "other"):
        assert not differ(first, world(**{split: 9})), f"the photographs of {split} change the training"
    assert differ(first, world(train=9))


def test_every_training_photograph_is_trained_on_whole(monkeypatch):
    """In the colours of a chart: every picture has its level, and rows and columns tell where a patch was cut."""
    level = {name: 30 * (i + 1) for i, name in enumerate(SPLITS["train"])}
    monkeypatch.setattr(images, "photo", lambda name, size=256, color=False: np.full(
        (40, 40) if size is None else (size, size), level.get(name, 0) / 255, np.float32))
    made = training("denoiser")
    seen = set()
    for step in range(20):
        _, x = made.draw(tf.constant([0, step]), 16)
        seen |= set(np.rint(255 * np.unique(x)).astype(int))
    assert seen == set(level.values())


def test_a_reader_s_own_photographs_are_all_that_the_denoiser_trains_on(monkeypatch):
    mine = [np.full((30, 44), 0.25, np.float32), np.full((64, 25), 0.75, np.float32)]
    put_photos(monkeypatch, {"train": 0, "test": 1, "other": 2})
    made = training("denoiser", pictures=mine)
    drawn = np.concatenate([made.draw(tf.constant([0, step]), 16)[1].numpy() for step in range(4)])
    assert set(np.rint(4 * np.unique(drawn))) == {1, 3}


# -------------------------------------------------------------------------------------------- who is judged by what


class Spy:
    """Stands in for a model: it notes what it was shown and answers with the truth."""

    def __init__(self, truth):
        self.truth, self.shown = truth, []

    def restore(self, y, operators, sigma, **settings):
        self.shown.append(np.array(y))
        return self.truth[: len(y)]

    def __call__(self, y, sigma):
        self.shown.append((np.array(y), sigma))
        return y


def judge():
    """Return a judge that reads the class from the level of a flat digit."""
    return SimpleNamespace(read=lambda x: np.rint(255 * np.median(x, (1, 2, 3))).astype(int) % 10)


@pytest.fixture
def coded(monkeypatch):
    train, test = coded_digits(60, 20), coded_digits(50, 200)
    put_digits(monkeypatch, train, test)
    return SimpleNamespace(x_train=train[0][..., None] / np.float32(255), y_train=train[1],
                           x_test=test[0][..., None] / np.float32(255), y_test=test[1])


@pytest.mark.parametrize("look", ["watch", "evaluate"])
def test_the_classifier_is_judged_by_held_out_digits_and_their_labels(coded, look):
    made = training("classifier")
    shown = []

    def read(x):
        shown.append(np.array(x))
        wrong = np.rint(255 * np.median(x, (1, 2, 3))).astype(int) % 10
        wrong[: len(x) // 5] += 1
        return wrong % 10

    made.ready.read = read
    found = made.watch() if look == "watch" else made.evaluate()["held-out accuracy"]
    assert found["accuracy"] == pytest.approx(0.8) and all(np.array_equal(x, coded.x_test) for x in shown) and shown


def test_the_nearest_training_digit_is_a_training_digit(monkeypatch):
    """The rival in the card of the classifier is told the training digits and asked about the held-out ones."""
    x, y = random_digits(0, 30)
    near = np.clip(x.astype(int) + np.random.default_rng(1).integers(-9, 10, x.shape), 0, 255).astype(np.uint8)
    labels = y.copy()
    labels[:6] = (labels[:6] + 1) % 10
    put_digits(monkeypatch, (x, y), (near, labels))
    found = training("classifier").evaluate()["held-out accuracy"]
    assert found["nearest training digit"] == pytest.approx(0.8) and found["digits"] == 30


@pytest.mark.parametrize("name", ["restorer", "inverter"])
@pytest.mark.parametrize("look", ["watch", "evaluate"])
def test_a_restorer_is_judged_by_damaged_held_out_digits(coded, name, look):
    made = training(name, judge=judge())
    made.ready = spy = Spy(coded.x_test)
    report = made.watch() if look == "watch" else made.evaluate()
    expected = [digit_tasks.damage(coded.x_test, task)[0] for task in digit_tasks.TASKS]
    assert len(spy.shown) >= len(expected)
    for y in spy.shown:
        assert any(np.array_equal(y, one) for one in expected), "not a damaged held-out digit"
    for task in digit_tasks.TASKS:
        found = report[task]["value"] if look == "evaluate" else {
            kind: report[f"{task} {kind}"] for kind in ("psnr", "readable")}
        assert found["readable"] == 1 and found["psnr"] == math.inf


def test_the_rivals_in_the_card_of_the_restorer_see_the_same_damage(coded, monkeypatch):
    made = training("restorer", judge=judge())
    made.ready = spy = Spy(coded.x_test)
    for name in ("biharmonic", "total_variation"):
        rival = Spy(coded.x_test)
        monkeypatch.setattr(digit_tasks, "one_by_one", lambda method, rival=rival: rival.restore)
        made.evaluate()
        for y in rival.shown:
            assert any(np.array_equal(y, one) for one in spy.shown), name


def test_the_bound_of_the_vae_is_that_of_held_out_digits_under_their_labels(coded, monkeypatch):
    monkeypatch.setattr(vae, "_samples", lambda *_, **__: {})
    made = training("vae")
    asked = []
    made.ready.elbo = lambda x, label, *_: asked.append((np.array(x), np.array(label))) or np.arange(len(x))
    assert made.watch()["ELBO"] == made.evaluate()["ELBO of held-out digits (nats)"]["value"] == 24.5
    for x, label in asked:
        assert np.array_equal(x, coded.x_test) and np.array_equal(label, coded.y_test)


class Judge:
    """Stands in for the classifier: it notes of what it was asked the features, and reads as ``judge()`` does."""

    def __init__(self):
        self.shown = []

    def features(self, x):
        self.shown.append(np.array(x))
        return np.asarray(x).reshape(len(x), -1)[:, :3] + 0.1 * np.arange(len(x))[:, None] % 1

    def coverage(self, x):
        return np.bincount(self.read(x), minlength=10) / len(x)

    def read(self, x):
        return judge().read(x)


@pytest.mark.parametrize("name", ["gan", "vae", "diffusion-digits"])
def test_samples_are_measured_to_held_out_digits_and_the_floor_is_real(name, coded):
    made = training(name, judge=Judge())
    shown = made.judge.shown if hasattr(made, "judge") else made.world.judge.shown
    drawn = []
    sample = made.ready.sample
    made.ready.sample = lambda *a, **k: drawn.append(sample(*a, **k)) or drawn[-1]
    made.watch()
    assert len(drawn) == 1
    wanted = [coded.x_test, drawn[0], coded.x_train]
    assert all(any(np.array_equal(x, one) for one in wanted) for x in shown)
    assert all(any(np.array_equal(x, one) for x in shown) for one in wanted)


class Drawer:
    """Stands in for a diffusion model. A sample is flat, and the last digit of its level is the class asked for, or in
    one of five the next. What it denoises comes out too bright by 0.25. It notes what it was asked."""

    def __init__(self, first, truth=None):
        self.first, self.truth, self.drawn, self.seen = first, truth, [], []

    def sample(self, n, seed, label, **how):
        self.drawn.append((n, np.array(label), how))
        level = self.first + label + (np.arange(n) % 50 < 10)
        return np.tile((level / 255).astype(np.float32)[:, None, None, None], (1, 28, 28, 1))

    def evaluations(self, sampler, steps, guidance=1.0):
        return {"sampler": sampler, "steps": steps} | ({} if guidance == 1 else {"guidance": guidance})

    def denoise(self, x, sigma, label=None):
        self.seen.append((np.array(x), sigma, label))
        return self.truth + np.float32(0.25)


@pytest.fixture
def judged(coded, monkeypatch):
    """A training of diffusion on coded digits, with stand-ins for the model, the judge, and their rivals."""
    made = training("diffusion-digits", judge=Judge())
    made.ready, rivals = Drawer(100, coded.x_test), SimpleNamespace(gan=Drawer(150), linear=Drawer(0, coded.x_test))

    def learn(x):
        rivals.learned = x
        return rivals.linear

    monkeypatch.setattr(worlds.pretrained, "load", lambda name: {"gan": rivals.gan}[name])
    monkeypatch.setattr(worlds, "LinearDenoiser", learn)
    return made, rivals


@pytest.mark.parametrize("look", ["watch", "evaluate"])
def test_a_diffusion_model_denoises_held_out_digits_under_their_labels(coded, judged, look):
    made, rivals = judged
    report = getattr(made, look)()
    asked = [made.ready.seen] + ([rivals.linear.seen] if look == "evaluate" else [])
    for seen in asked:
        assert [sigma for _, sigma, _ in seen] == list(worlds.LEVELS)
        for x, sigma, label in seen:
            assert x.shape == coded.x_test.shape and np.array_equal(label, coded.y_test)
            noise = (x - coded.x_test) / sigma
            assert abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.03
    for sigma in worlds.LEVELS:
        error = report[f"error at σ = {sigma:g}"]
        assert (error["value"] if look == "evaluate" else error) == pytest.approx(0.25)
        assert look == "watch" or error["linear"] == pytest.approx(0.25)
    if look == "evaluate":
        assert np.array_equal(rivals.learned, coded.x_train), "the rival knows the training digits"


def test_samples_of_diffusion_are_judged_beside_those_of_the_gan_and_real_digits(coded, judged):
    """All three draws alike: 5,000, each class as often, against the same held-out digits; each with its price."""
    made, rivals = judged
    report = made.evaluate()
    plain, guided, by_gan = (report[f"5,000 samples{which}"] for which in ("", ", guidance 1.5", " of the GAN"))
    assert len(made.ready.drawn) == 2 and len(rivals.gan.drawn) == 1
    for found, (n, label, how), drawer in zip((plain, guided, by_gan), [*made.ready.drawn, *rivals.gan.drawn],
                                              (made.ready, made.ready, rivals.gan), strict=True):
        assert n == 5000 and set(np.bincount(label)) == {500}
        assert found["network evaluations a picture"] == (how or 1), "the price of another sampler than was used"
        x = drawer.sample(5000, 0, label)
        features = Judge().features
        assert found["Fréchet distance"] == pytest.approx(frechet_distance(features(x), features(coded.x_test)))
        assert found["floor"] == pytest.approx(frechet_distance(features(coded.x_train), features(coded.x_test)))
        assert found["multiple of the floor"] == pytest.approx(found["Fréchet distance"] / found["floor"])
        assert found["read as the class asked for"] == pytest.approx(0.8)
        assert found["rarest class"] == pytest.approx(0.1) == found["most frequent class"]
    assert guided["network evaluations a picture"]["guidance"] == 1.5 and plain != guided


def test_samples_and_held_out_digits_are_as_far_from_training_digits_as_the_card_says(judged):
    """The brightest training digit has the level 79; samples begin at 100 and 150, held-out digits at 200."""
    found = judged[0].evaluate()["distance from the nearest training digit"]
    beyond = 4.5 + 0.2 - 79  # the mean class, and one of five a level brighter
    assert found["value"] == pytest.approx((100 + beyond) / 255, rel=1e-3) == found["guidance 1.5"]
    assert found["gan"] == pytest.approx((150 + beyond) / 255, rel=1e-3)
    assert found["held-out digits"] == pytest.approx((224.5 - 79) / 255, rel=1e-3)


def test_the_denoiser_is_watched_and_judged_on_photographs_that_did_not_train(monkeypatch):
    put_photos(monkeypatch, {"train": 0, "test": 1, "other": 2})
    for pictures, watched in ((None, "other"), ([np.zeros((30, 30), np.float32)], "train")):
        made = training("denoiser", pictures=pictures)
        made.ready = spy = Spy(None)
        made.watch()
        assert_noisy_versions(spy.shown, images.photos(watched, size=128), (25,))
        spy.shown.clear()
        report = made.evaluate()
        seen = assert_noisy_versions(spy.shown, images.photos("test"), (15, 25, 50))
        for level in (15, 25, 50):
            found = report[f"PSNR at sigma = {level}/255 (dB)"]
            assert found["value"] == pytest.approx(seen[level / 255], abs=1e-3)
            assert found["dct_shrinkage"] != found["value"]


def assert_noisy_versions(shown, pictures, levels):
    """Assert that each picture was shown once at each noise level; return the mean PSNR of what was shown, by level."""
    assert len(shown) == len(pictures) * len(levels)
    left, seen = [(x, level / 255) for level in levels for x in pictures.values()], {}
    for y, sigma in shown:
        near = [i for i, (x, level) in enumerate(left) if x.shape == y.shape and abs(level - sigma) < 1e-9
                and abs(np.std(y - x) / level - 1) < 0.05]
        assert len(near) == 1, "not one of these photographs under this noise"
        x_near, _ = left.pop(near[0])
        seen.setdefault(sigma, []).append(psnr(x_near, y))
    assert not left
    return {sigma: np.mean(values) for sigma, values in seen.items()}
