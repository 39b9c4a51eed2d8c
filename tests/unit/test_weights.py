"""The trained weights that the course ships: whole, as the recipes say, as good as their cards say, and good enough."""

import functools
import json
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import distance

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import league, metrics, pretrained
from helpers.images import digits, earth, photo, photos, robots
from helpers.league import digit_tasks
from helpers.models import captions, chooser, pairs, tokenizer, words, worlds
from helpers.operators import Identity
from helpers.recipes import CONVERTED, RECIPES
from helpers.restoration import dct_shrinkage

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
SAMPLES = "5,000 samples"
GENERATORS = ("gan", "vae", "diffusion-digits")
NEAREST = "distance from the nearest training digit"


@pytest.fixture(scope="module")
def judge():
    return pretrained.load("classifier")


@pytest.fixture(scope="module")
def test_digits():
    _, _, x, labels = digits()
    return x, labels


# ------------------------------------------------------------------------------------------------- the files


def test_every_recipe_has_weights_and_no_file_is_left_over():
    known = [*RECIPES, *CONVERTED]
    assert pretrained.names() == sorted(known)
    expected = {f"{name}.json" for name in known} | {pretrained.card(name)["weights"] for name in known}
    expected |= {f"{name}.LICENSE" for name in CONVERTED}
    assert {path.name for path in pretrained.FOLDER.iterdir()} == expected


def test_all_weights_together_are_small():
    assert sum(path.stat().st_size for path in pretrained.FOLDER.glob("*.safetensors")) < 30e6


def test_the_weights_of_diffusion_models_are_smaller_still():
    assert sum(path.stat().st_size for path in pretrained.FOLDER.glob("diffusion-*.safetensors")) < 6e6


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_tells_what_a_reader_wants_to_know(name):
    card = pretrained.card(name)
    assert card["name"] == name and card["what"] == RECIPES[name].what
    for text in ("data", "command", "hardware"):
        assert isinstance(card[text], str) and card[text]
    assert card["command"].startswith(f"python -m helpers train {name}")
    work = card.get("processor minutes", card["minutes"])  # the clock also counts what ran beside
    assert 0 < work < 300 and card["minutes"] > 0 and set(card["versions"]) == {"tensorflow", "keras", "numpy"}
    assert card["metrics"] and len(card["sha256"]) == 64
    assert card["weights"] == f"{name}-{card['sha256'][:8]}.safetensors"
    curve = np.array(card["loss"])
    assert len(curve) >= 20 and np.isfinite(curve).all() and (np.diff(curve[:, 0]) > 0).all()
    assert card["held out as it went"][-1][0] == RECIPES[name].steps
    start = RECIPES[name].options.get("start")  # the command repeats the training only from the same beginning
    assert card.get("began with") == (start and {start: pretrained.card(start)["sha256"]})


@pytest.mark.parametrize("name", CONVERTED)
def test_the_card_of_a_network_that_others_trained_tells_where_it_comes_from(name):
    card, origin = pretrained.card(name), CONVERTED[name]
    assert card["name"] == name and card["command"] == origin.command and card["data"] == origin.data
    for text in (origin.package, origin.version, origin.file, origin.sha256):
        assert text in card["source"]
    assert card["licence"] == origin.licence
    terms = (pretrained.FOLDER / f"{name}.LICENSE").read_text(encoding="utf-8")
    assert "Copyright (c) 2020, ML Illustrated" in terms and "TERMS AND CONDITIONS FOR USE" in terms


@pytest.mark.parametrize("name", [*RECIPES, *CONVERTED])
def test_the_card_and_the_table_hold_the_same_recipe(name):
    assert pretrained.card(name)["recipe"] == (RECIPES | CONVERTED)[name].fingerprint()


@pytest.mark.parametrize("name", [*RECIPES, *CONVERTED])
def test_weights_load_and_have_as_many_numbers_as_the_card_says(name):
    ready = pretrained.load(name)
    assert isinstance(ready, (RECIPES | CONVERTED)[name].ready())
    stored = pretrained.read(name)
    assert sum(array.size for array in stored.values()) == pretrained.card(name)["parameters"]
    assert all(np.isfinite(array).all() for array in stored.values())
    for (key, variable), array in zip(pretrained._named(ready.networks), stored.values(), strict=False):
        assert np.array_equal(variable.numpy(), stored[key].astype(np.float32)), key
        assert array.dtype == np.float16


def test_the_denoiser_is_small_and_was_trained_on_photographs():
    card = pretrained.card("denoiser")
    assert card["parameters"] <= 700_000
    assert card["data"] == "400 pictures of train400" and card["command"].endswith("--photos train400")


# ------------------------------------------------------------------------- what the cards claim, measured again


def test_the_classifier_reads_as_its_card_says(judge, test_digits):
    x, labels = test_digits
    claimed = pretrained.card("classifier")["metrics"]["held-out accuracy"]
    assert float(np.mean(judge.read(x) == labels)) == pytest.approx(claimed["accuracy"], abs=1e-9)
    assert claimed["accuracy"] >= 0.985 and claimed["accuracy"] > claimed["nearest training digit"]


@pytest.fixture(scope="module")
def held_out_features(judge, test_digits):
    return judge.features(test_digits[0])


@functools.cache
def samples(name):
    """Return the 5,000 samples of which a card speaks; of diffusion, which draws slowly, 1,000 others."""
    if name == "diffusion-digits":
        return pretrained.load(name).sample(1000, seed=0, label=np.arange(1000) % 10)
    return pretrained.load(name).sample(5000, seed=0)


@pytest.mark.parametrize("name", GENERATORS)
def test_samples_are_as_near_to_digits_as_the_card_says(name, judge, held_out_features):
    claimed = pretrained.card(name)["metrics"][SAMPLES]
    x = samples(name)
    same = len(x) == 5000  # a thousand others scatter: with seeds 0, 1 and 2 their distance is 8.0, 10.2 and 8.8
    frechet = metrics.frechet_distance(judge.features(x), held_out_features)
    assert frechet == pytest.approx(claimed["Fréchet distance"], rel=0.01 if same else 0.1)
    interval = digit_tasks.multiple_interval(x, judge)
    assert interval.low == pytest.approx(claimed["multiple, at least (95 %)"], rel=0.02 if same else 0.1)
    assert interval.high == pytest.approx(claimed["multiple, at most (95 %)"], rel=0.02 if same else 0.1)
    shares = judge.coverage(x)
    assert shares.min() == pytest.approx(claimed["rarest class"], abs=0.002 if same else 0.01)
    assert shares.max() == pytest.approx(claimed["most frequent class"], abs=0.002 if same else 0.01)


def test_the_floor_of_the_distance_is_that_of_real_digits(judge, held_out_features):
    quality = digit_tasks.sample_quality(digits().x_train[:500], judge)
    for name in GENERATORS:
        claimed = pretrained.card(name)["metrics"][SAMPLES]
        assert claimed["floor"] == pytest.approx(quality.floor, rel=0.01)
        assert claimed["multiple of the floor"] == pytest.approx(claimed["Fréchet distance"] / claimed["floor"])


def test_samples_of_diffusion_are_read_and_are_new_as_the_card_says(judge, test_digits):
    claimed = pretrained.card("diffusion-digits")["metrics"]
    right = np.mean(judge.read(samples("diffusion-digits")) == np.arange(1000) % 10)
    assert right == pytest.approx(claimed[SAMPLES]["read as the class asked for"], abs=0.015)
    train = digits().x_train.reshape(-1, 784)
    for who, x in (("value", samples("diffusion-digits")[:500]), ("held-out digits", test_digits[0])):
        nearest = distance.cdist(x.reshape(-1, 784), train).min(1).mean() / 28
        assert nearest == pytest.approx(claimed[NEAREST][who], rel=0.01)


def test_the_gan_beside_diffusion_is_the_shipped_one():
    """Its samples are others than in its own card, which leaves their classes in random order."""
    beside = pretrained.card("diffusion-digits")["metrics"]["5,000 samples of the GAN"]
    own = pretrained.card("gan")["metrics"][SAMPLES]
    assert own["multiple, at least (95 %)"] < beside["multiple of the floor"] < own["multiple, at most (95 %)"]


def test_diffusion_denoises_as_its_card_says(test_digits):
    claimed = pretrained.card("diffusion-digits")["metrics"]
    x, labels = test_digits
    for sigma in worlds.LEVELS:
        noise = np.random.default_rng(0).standard_normal(x.shape, dtype=np.float32)
        x_hat = pretrained.shared("diffusion-digits").denoise(x + np.float32(sigma) * noise, sigma, labels)
        error = claimed[f"error at σ = {sigma:g}"]
        assert np.sqrt(np.mean((x_hat - x) ** 2)) == pytest.approx(error["value"], rel=0.01)
        assert error["value"] < error["linear"]


FEW = 300  # robots, the first of the thousand of which the card speaks: its shares are met to within chance


@pytest.mark.parametrize(("split", "what"), [("train", "seen"), ("held-out", "held out")])
def test_robots_come_out_as_asked_as_the_card_says(split, what):
    claimed = pretrained.card("diffusion-robots")["metrics"][f"as asked, pairs {what}, guidance 1"]
    asked = robots.draw_robots(1000, 2, split)[:FEW]
    right = robots.read(pretrained.shared("diffusion-robots").sample(FEW, 0, asked))[0] == asked
    assert right.all(axis=1).mean() == pytest.approx(claimed["all six"], abs=0.07)
    assert right.mean(axis=0) == pytest.approx([claimed[name] for name in robots.ATTRIBUTES], abs=0.06)


def test_samples_without_a_caption_are_robots_as_often_as_the_card_says():
    claimed = pretrained.card("diffusion-robots")["metrics"]["without a caption"]
    read, far = robots.read(pretrained.shared("diffusion-robots").sample(FEW, 0))
    assert (far < 0.03).mean() == pytest.approx(claimed["within 0.03 of a robot"], abs=0.07)
    assert (~robots.allowed(read)).mean() == pytest.approx(claimed["pairs held out"], abs=0.07)
    assert np.median(far) == pytest.approx(claimed["median distance"], rel=0.1)


@pytest.mark.parametrize("told", [True, False])
def test_robots_are_denoised_as_the_card_says(told):
    claimed = pretrained.card("diffusion-robots")["metrics"]
    asked = robots.draw_robots(500, 3, "held-out")
    x, label = robots.render(asked), asked if told else None
    found = worlds.denoising_error(pretrained.shared("diffusion-robots"), x, label)
    for name, error in found.items():
        assert error == pytest.approx(claimed[name]["value" if told else "untold"], rel=0.01)
        assert claimed[name]["value"] < claimed[name]["untold"] < claimed[name]["linear"]


def test_continents_that_were_held_out_are_denoised_as_the_card_says():
    """At every noise level better than by the best linear denoiser of the training patches."""
    claimed = pretrained.card("diffusion-earth")["metrics"]
    x = np.concatenate([earth.patches(name, 32) for name in ("australia", "south-america")])
    found = worlds.denoising_error(pretrained.shared("diffusion-earth"), x)
    assert set(found) == {f"error at σ = {sigma:g}" for sigma in worlds.LEVELS}
    for name, error in found.items():
        assert error == pytest.approx(claimed[name]["value"], rel=0.01)
        assert claimed[name]["value"] < claimed[name]["linear"]


def test_textures_of_the_earth_are_as_near_as_the_card_says():
    claimed = pretrained.card("diffusion-earth")["metrics"]["Fréchet distance of textures"]
    train = earth.patches("train", 32)
    first, second = train[: len(train) // 2], train[len(train) // 2 :]
    assert worlds.texture_distance(second, first) == pytest.approx(claimed["floor"], rel=0.01)
    found = worlds.texture_distance(pretrained.shared("diffusion-earth").sample(1000, 0), first)
    assert found == pytest.approx(claimed["value"], rel=0.05)


@pytest.mark.parametrize("task", digit_tasks.TASKS)
def test_the_restorer_restores_as_its_card_says(task, judge, test_digits):
    claimed = pretrained.card("restorer")["metrics"][task]["value"]
    found = digit_tasks.score(pretrained.load("restorer").restore, *test_digits, task, judge.read)
    assert found["psnr"] == pytest.approx(claimed["psnr"], abs=0.02)
    assert found["readable"] == pytest.approx(claimed["readable"], abs=0.0041)  # two digits of 500 may tip over


@pytest.mark.parametrize("task", digit_tasks.TASKS)
def test_the_encoder_alone_restores_as_the_card_says(task, judge, test_digits):
    claimed = pretrained.card("inverter")["metrics"][task]["encoder alone"]
    inverter = pretrained.load("inverter")

    def best_guess(y, operators, sigma):
        return inverter.restore(y, operators, sigma, steps=0, restarts=1)

    x, labels = (values[:100] for values in test_digits)
    found = digit_tasks.score(best_guess, x, labels, task, judge.read)
    assert found["psnr"] > claimed["psnr"] - 1.5 and found["readable"] > claimed["readable"] - 0.1


@pytest.mark.parametrize("name", ["cat", "coins"])
def test_the_denoiser_beats_the_best_classical_one(name):
    x, sigma = photo(name, size=192), 25 / 255
    y = x + sigma * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    by_network = metrics.psnr(x, pretrained.load("denoiser")(y, sigma))
    assert by_network > metrics.psnr(x, dct_shrinkage(y, Identity(), sigma)) + 0.6


def test_the_denoiser_denoises_as_its_card_says():
    claimed = pretrained.card("denoiser")["metrics"]["PSNR at sigma = 25/255 (dB)"]
    found = []
    for x in photos("test").values():
        y = x + 25 / 255 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
        found.append(metrics.psnr(x, pretrained.load("denoiser")(y, 25 / 255)))
    assert np.mean(found) == pytest.approx(claimed["value"], abs=0.02)


def test_the_denoiser_of_colours_denoises_as_its_card_says():
    claimed = pretrained.card("denoiser-colour")["metrics"]["PSNR at sigma = 25/255 (dB)"]
    found = {"value": [], "the grey network, channel by channel": []}
    for x in photos("test", color=True).values():
        if np.ptp(x, axis=2).any():
            y = x + 25 / 255 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
            for who, name in zip(found, ("denoiser-colour", "denoiser"), strict=True):
                found[who].append(metrics.psnr(x, np.clip(pretrained.shared(name)(y, 25 / 255), 0, 1)))
    assert len(found["value"]) == 5
    assert any(ours < grey for ours, grey in zip(*found.values(), strict=True)), "the page says so"
    for who, scores in found.items():
        assert np.mean(scores) == pytest.approx(claimed[who], abs=0.02)
    assert claimed["value"] > claimed["the grey network, channel by channel"] + 0.5


@pytest.mark.parametrize("level", [0, 3, 10, 15, 25, 50])
def test_colours_are_never_much_worse_off_than_channel_by_channel(level):
    """The network of colours harms photographs with little noise: the league's choice leaves these to the grey one,
    which does better with brightness and contrasts than with the channels."""
    restore, grey = league.METHODS["network"].restore, pretrained.shared("denoiser")
    for name in ("astronaut", "coffee", "rocket"):
        x = photo(name, size=128, color=True)
        y = x + level / 255 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
        found, channels = (metrics.psnr(x, np.clip(denoise(y, level / 255), 0, 1))
                           for denoise in (lambda y, sigma: restore(y, Identity(), sigma), grey))
        assert found > min(channels, 60) - 1, name
        assert level not in (3, 10) or found > channels + 0.3, name
        assert level == 0 or found > metrics.psnr(x, y) + 1, name
        alone = metrics.psnr(x, np.clip(pretrained.shared("denoiser-colour")(y, level / 255), 0, 1))
        assert level > 3 or alone < channels - 1, f"{name}: the network of colours may be trusted with little noise"


def test_the_denoiser_leaves_a_clean_picture_alone_and_works_in_tiles():
    x = photo("cat", size=192)
    denoise = pretrained.load("denoiser")
    assert metrics.psnr(x, denoise(x, 0.0)) > 40
    y = x + 25 / 255 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    np.testing.assert_allclose(denoise(y, 25 / 255, tile=64), denoise(y, 25 / 255), atol=1e-4)


# ------------------------------------------------------------------------------------------- good enough at all

# the least that the course asks of its models: PSNR in dB, share that is read right
RESTORER_FLOORS = {"hole": (16.6, 0.78), "half": (15.8, 0.83), "missing75": (19.6, 0.965), "noise50": (19.9, 0.975)}


SHORT = pytest.mark.xfail(strict=True, reason="reads 0.968 of the noisy digits right; 12,000 steps instead of 4,500 "
                                              "lift its PSNR by 0.3 dB and leave this share where it is")


@pytest.mark.parametrize("task", [*list(RESTORER_FLOORS)[:3], pytest.param("noise50", marks=SHORT)])
def test_the_restorer_is_good_enough(task):
    claimed = pretrained.card("restorer")["metrics"][task]["value"]
    psnr, readable = RESTORER_FLOORS[task]
    assert claimed["psnr"] >= psnr
    assert claimed["readable"] >= readable


@pytest.mark.parametrize(("name", "most"), [("gan", 12), ("vae", 45), ("diffusion-digits", 3)])
def test_samples_are_good_enough(name, most):
    claimed = pretrained.card(name)["metrics"][SAMPLES]
    assert claimed["multiple of the floor"] <= most
    assert claimed["rarest class"] >= 0.05 and claimed["most frequent class"] <= 0.20


def test_samples_of_diffusion_are_cheap_and_show_what_was_asked_for():
    """At most 18 looks a picture; guidance doubles the price and makes sure of the class."""
    claimed = pretrained.card("diffusion-digits")["metrics"]
    plain, renewed, guided = (claimed[f"{SAMPLES}{name}"] for name in ("", ", DDPM", ", guidance 1.5"))
    price, read = "network evaluations a picture", "read as the class asked for"
    assert max(plain[price], renewed[price]) <= 18 and guided[price] == 2 * plain[price]
    assert renewed[read] >= 0.97 and guided[read] >= 0.99


def test_samples_of_diffusion_are_no_copies_and_no_strangers():
    """From the nearest training digit they are as far as held-out digits are, give or take a tenth."""
    found = pretrained.card("diffusion-digits")["metrics"][NEAREST]
    assert found["value"] == pytest.approx(found["held-out digits"], rel=0.1)


@pytest.mark.parametrize(("what", "least"), [("pairs seen", 0.95), ("pairs held out", 0.8)])
def test_robots_show_all_six_attributes_that_were_asked_for(what, least):
    """At 17 looks, without guidance."""
    claimed = pretrained.card("diffusion-robots")["metrics"]
    assert claimed[f"as asked, {what}, guidance 1"]["all six"] >= least
    assert claimed["network evaluations"]["guidance 1"] <= 18


def test_samples_without_a_caption_are_robots_of_the_world():
    """And some of them show what training never did: a pair that was held out."""
    claimed = pretrained.card("diffusion-robots")["metrics"]["without a caption"]
    assert claimed["within 0.03 of a robot"] >= 0.95 and 0.02 < claimed["pairs held out"] < 0.2


def test_samples_of_the_earth_look_more_like_it_than_gaussian_pictures_do():
    claimed = pretrained.card("diffusion-earth")["metrics"]
    assert claimed["Fréchet distance of textures"]["value"] < claimed["Fréchet distance of textures"]["linear"]
    assert claimed["network evaluations"]["value"] <= 18


@pytest.fixture(scope="module")
def odds():
    """What benchmarks/odds.py measured; test_odds.py asks whether it counts right."""
    file = Path(__file__).parents[2] / "book/4-examples/odds.json"
    return json.loads(file.read_text(encoding="utf-8"))


def test_odds_were_measured_with_the_shipped_weights_on_robots_enough(odds):
    assert odds["sha256"] == pretrained.card("diffusion-robots")["sha256"] and odds["answers"] == 16
    for tasks in odds["rows"].values():
        for rows in tasks.values():
            assert [row["robot"] for row in rows] == list(range(60))


@pytest.mark.parametrize("task", ["strip", "half", "missing75", "noise"])
def test_the_best_sampler_is_near_the_exact_odds(odds, task):
    """Total variation distance of each open attribute, above that of 16 exact draws, by a sampler whose answers are
    possible more often than not."""
    lines = [tasks[task] for name, tasks in odds["table"].items() if name != "exact" and task in tasks]
    assert min(line["excess"][0] for line in lines if line["impossible"][0] < 0.5) <= 0.06


def test_the_denoiser_gains_on_the_best_classical_one():
    for name, claimed in pretrained.card("denoiser")["metrics"].items():
        assert claimed["value"] > claimed["dct_shrinkage"] + 0.8, name


# ------------------------------------------------------------------------------------------------ their conduct


@pytest.mark.parametrize("name", GENERATORS)
def test_samples_show_the_digit_that_was_asked_for(name, judge):
    asked = np.repeat(np.arange(10), 20)
    x = pretrained.load(name).sample(200, seed=5, label=asked)
    assert np.mean(judge.read(x) == asked) > 0.9
    assert (judge.read(pretrained.load(name).sample(50, seed=6, label=4)) == 4).mean() > 0.8


def test_diffusion_that_is_asked_for_nothing_draws_all_digits(judge):
    """Chance decides their number here: of 400 samples 40 of each, give or take 20."""
    shares = judge.coverage(pretrained.shared("diffusion-digits").sample(400, seed=3))
    assert shares.min() >= 0.05 and shares.max() <= 0.15


def test_the_bound_of_real_digits_is_above_that_of_noise(test_digits):
    x, labels = (values[:50] for values in test_digits)
    vae = pretrained.load("vae")
    claimed = pretrained.card("vae")["metrics"]
    bound = vae.elbo(*test_digits)
    assert float(np.mean(bound)) == pytest.approx(claimed["ELBO of held-out digits (nats)"]["value"], abs=2)
    assert vae.tau == pytest.approx(claimed["tau"]["value"], rel=1e-3)
    noise = np.random.default_rng(0).random(x.shape)
    assert bound[:50].min() > vae.elbo(noise, labels).max()
    assert bound[:50].mean() > vae.elbo(x, (labels + 5) % 10).mean(), "the right class explains a digit better"
    mean, std = vae.encode(x, labels)
    assert np.abs(vae.decode(mean, labels) - x).mean() < 0.1 and (std > 0).all()


def test_the_discriminator_prefers_real_digits_to_noise(test_digits):
    x, labels = (values[:100] for values in test_digits)
    gan = pretrained.load("gan")
    noise = np.random.default_rng(0).random(x.shape)
    assert np.median(gan.realism(x, labels)) > np.median(gan.realism(noise, labels)) + 0.5


@pytest.fixture(scope="module")
def inversions(test_digits):
    """Ten digits without their lower half, searched from four starts each."""
    x, labels = (values[:10] for values in test_digits)
    y, operators, sigma = digit_tasks.damage(x, "half")
    return y, operators, labels, pretrained.load("inverter").answers(y, operators, sigma, restarts=4, steps=60)


def test_answers_agree_with_the_known_pixels(inversions):
    y, operators, _, first = inversions
    known = np.stack([operator.mask for operator in operators])[..., None] > 0
    difference = np.abs(first.x[:, 0] - y)
    each = [np.mean(one[k]) for one, k in zip(difference, known, strict=True)]
    assert np.mean(each) < 0.1, each
    assert first.x.min() >= 0 and first.x.max() <= 1 and first.x.shape == (10, 4, 28, 28, 1)


def test_another_measurement_gets_another_answer(inversions):
    y, _, _, first = inversions
    for i in range(10):
        others = [j for j in range(10) if j != i]
        own = np.abs(first.x[i, 0, :14] - y[i, :14]).mean()
        assert own < min(np.abs(first.x[j, 0, :14] - y[i, :14]).mean() for j in others), "each explains its own best"


def test_a_search_is_decided_by_its_seed(inversions):
    y, operators, *_ = inversions
    first, again, other = (pretrained.load("inverter").answers(y, operators, 0.0, seed, restarts=4, steps=5)
                           for seed in (0, 0, 1))
    assert np.array_equal(first.x, again.x) and np.array_equal(first.label, again.label)
    assert not np.array_equal(first.x, other.x)


def test_several_answers_differ_and_the_best_comes_first(inversions):
    *_, first = inversions
    assert (np.diff(first.loss, axis=1) >= 0).all()
    apart = np.abs(first.x[:, 0] - first.x[:, 3]).mean((1, 2, 3))
    assert (apart > 0).all() and np.median(apart) > 0.01


def test_most_inversions_are_read_right(inversions, judge):
    _, _, labels, first = inversions
    assert np.mean(judge.read(first.x[:, 0]) == labels) >= 0.7


# --------------------------------------------------------------------------------------------------- painters

PAINTERS = [name for name in RECIPES if name.startswith("style-")]


@pytest.fixture(scope="module")
def painted():
    """Return what each painter makes of the test photographs, with all their contrast and with half of it."""
    whole = np.stack(list(photos("test", size=128, color=True).values()))
    return {name: [np.stack([pretrained.shared(name)(x) for x in batch]) for batch in (whole, 0.5 * whole + 0.25)]
            for name in PAINTERS} | {"photographs": whole}


@pytest.mark.parametrize("name", PAINTERS)
def test_painters_paint_as_their_cards_say(name, painted):
    from helpers.models.painter import STYLES
    from helpers.models.style import Distances

    card, (full, faint), whole = pretrained.card(name), painted[name], painted["photographs"]
    picture = STYLES[card["recipe"]["options"]["style"]]()
    distances = Distances(pretrained.shared("features"), picture, picture)
    content, style = (part.numpy() for part in distances(full, whole))
    claimed, halved = card["metrics"]["content + 25 x style"], card["metrics"]["style with the contrast halved"]
    assert float(np.mean(content + 25 * style)) == pytest.approx(claimed["value"], rel=0.02)
    assert claimed["repaint, 150 steps"] < claimed["value"] < 0.5 * claimed["the photographs"]
    moved = float(np.abs(distances(faint, whole)[1].numpy() - style).mean())
    assert moved == pytest.approx(halved["moved by"], rel=0.05, abs=1e-4)
    assert card["data"] == "400 pictures of bsds400-colour"


def test_instance_normalisation_paints_better_and_forgets_the_contrast(painted):
    by = {name: pretrained.card(name)["metrics"] for name in ("style-dahlia", "style-dahlia-batch")}
    losses, moved = ([card[kind][key] for card in by.values()] for kind, key in (
        ("content + 25 x style", "value"), ("style with the contrast halved", "moved by")))
    assert losses[0] < losses[1] and moved[0] < 0.1 * moved[1]
    same, other = (np.abs(painted[name][0] - painted[name][1]).mean() for name in by)
    assert same < 0.005 < 0.02 < other


def test_a_painter_takes_a_moment():
    x, paint = photo("cat", size=512, color=True), pretrained.shared("style-dahlia")
    paint(x)
    begun = time.process_time()
    paint(x)
    assert time.process_time() - begun < 1.5


# ------------------------------------------------------------------------------------------------ enlargers


@pytest.mark.parametrize("name", ["sr-pixel", "sr-feature"])
def test_enlargers_are_as_near_as_their_cards_say(name):
    from helpers.models.enlarger import Training

    made = Training(RECIPES[name])
    made.ready = pretrained.shared(name)
    found, card = made.evaluate(), pretrained.card(name)
    assert card["data"] == "400 pictures of bsds400-colour"
    for metric, slack in {"psnr": {"abs": 0.05}, "ssim": {"abs": 0.005}, "features of unseen layers": {"rel": 0.02},
                          "off, made small again": {"rel": 0.05, "abs": 1e-5}}.items():
        for who, value in card["metrics"][metric].items():
            assert found[metric][who] == pytest.approx(value, **slack), (metric, who)


def test_the_losses_of_the_enlargers_trade_pixels_for_features():
    pixel, feature = (pretrained.card(f"sr-{loss}")["metrics"] for loss in ("pixel", "feature"))
    look, psnr = "features of unseen layers", "psnr"
    assert pixel[psnr]["value"] > pixel[psnr]["bicubic"] + 0.3 and pixel[psnr]["value"] > feature[psnr]["value"]
    assert pixel[look]["bicubic"] > pixel[look]["value"] and feature[look]["value"] < 0.83 * pixel[look]["value"]
    for card in (pixel, feature):
        assert card[psnr]["made to agree"] > card[psnr]["value"]


# ------------------------------------------------------------------------------------------- picture to picture


@pytest.mark.parametrize("name", ["robots-l2", "robots-l1", "robots-gan", "robots-choice"])
def test_robots_are_coloured_as_the_card_says(name):
    claimed = pretrained.card(name)["metrics"]
    found = pairs.Robots().judge(pretrained.shared(name), pairs.designs(40, 5), draws=3)
    for metric, slack in {"psnr": 0.6, "noise": 0.02, "one colour": 0.12, "within 0.06": 0.2, "clear": 0.2}.items():
        assert found[metric] == pytest.approx(claimed[f"{metric}, pairs held out"]["value"], abs=slack), metric


@pytest.mark.parametrize(("name", "rival"), [("robots-l2", "the mean"), ("robots-l1", "the median")])
def test_a_network_without_a_discriminator_finds_the_mean_or_the_median(name, rival):
    claimed = pretrained.card(name)["metrics"]
    psnr, far = (claimed[f"{metric}, pairs held out"] for metric in ("psnr", f"from {rival}"))
    assert abs(psnr["value"] - psnr[rival]) < 0.5 and far["value"] < 0.04


def test_continents_that_were_held_out_are_painted_as_the_cards_say():
    """In South America nearer than by a table of colours; the discriminator gives detail and takes accuracy."""
    held_out = pairs.held_out_pairs()
    cards = {name: pretrained.card(name)["metrics"] for name in ("earth-l1", "earth-gan")}
    painted = {name: pretrained.shared(name).translate(held_out.relief) for name in cards}
    error = {name: np.abs(x - held_out.satellite).mean(axis=(1, 2, 3)) for name, x in painted.items()}
    for name, claimed in cards.items():
        assert error[name].mean() == pytest.approx(claimed["absolute error, both"]["value"], rel=0.01)
        found = pretrained.shared("features").frechet(painted[name], held_out.satellite)
        assert found == pytest.approx(claimed["Fréchet distance, both"]["value"], rel=0.03)
    table = np.abs(pairs.ColourTable(earth.pairs("train", 32))(held_out.relief) - held_out.satellite)
    gain = table.mean(axis=(1, 2, 3)) - error["earth-l1"]
    assert metrics.bootstrap_interval(gain[held_out.longitude < 0]).low > 0, "South America"
    assert metrics.bootstrap_interval(gain[held_out.longitude > 0]).high < 0, "Australia, which the table paints better"
    plain, judged = (cards[name]["Fréchet distance, both"]["value"] for name in ("earth-l1", "earth-gan"))
    assert judged < 0.7 * plain
    psnr = cards["earth-l1"]["psnr, both"]
    assert psnr["value"] > max(psnr["colour table"], psnr["nearest patch"], cards["earth-gan"]["psnr, both"]["value"])


# ------------------------------------------------------------------------------------------- words to pictures

WHAT = {"train": "pairs seen", "held-out": "pairs held out"}


def test_what_paints_from_words_is_small():
    names = ("tokenizer-robots", "words-robots", "chooser-robots")
    files = [pretrained.FOLDER / pretrained.card(name)["weights"] for name in names]
    assert sum(path.stat().st_size for path in files) < 3.4e6


@pytest.mark.parametrize("split", WHAT)
def test_the_tokenizer_keeps_what_a_caption_says(split):
    claimed = pretrained.card("tokenizer-robots")["metrics"][f"kept, {WHAT[split]}"]
    assert claimed["all six"] >= 0.9 and min(claimed[name] for name in robots.ATTRIBUTES[:4]) >= 0.98
    found = tokenizer.kept(pretrained.shared("tokenizer-robots"), robots.draw_robots(150, 11, split))
    assert found["all six"] >= claimed["all six"] - 0.04 and found["error"] == pytest.approx(claimed["error"], rel=0.2)


@pytest.mark.parametrize("split", WHAT)
def test_captions_are_followed_as_often_as_the_card_says(split):
    claimed = pretrained.card("words-robots")["metrics"]
    model, asked = pretrained.shared("words-robots"), robots.draw_robots(100, 12, split)
    found = words.as_asked(model, asked, temperature=0.5)
    for name, slack in {"all six": 0.17, "colour": 0.1, "body": 0.1, "head": 0.15}.items():
        assert found[name] == pytest.approx(claimed[f"as asked, {WHAT[split]}, temperature 0.5"][name], abs=slack), name
    best = claimed[f"best of eight, {WHAT[split]}"]
    assert best["first"] < best["value"] <= best["any"]


def test_a_picture_is_painted_in_two_seconds():
    model = pretrained.shared("words-robots")
    model.sample(1, 0)
    begun = time.process_time()
    model.sample(1, 1, "a red robot with a hat")
    assert time.process_time() - begun < 2


def test_the_chooser_chooses_as_its_card_says():
    claimed = pretrained.card("chooser-robots")["metrics"]
    model, reader = pretrained.shared("chooser-robots"), pretrained.shared("tokenizer-robots")
    assert chooser.one_of_eight(model, reader, 60, seed=3) == pytest.approx(
        claimed["right picture of eight"]["value"], abs=0.15)
    assert chooser.binding(model, 400, seed=4) == pytest.approx(claimed["right caption of two"]["value"], abs=0.1)
    red = captions.tokens(["a red robot", "a blue robot"])
    x = reader.decode(reader.encode(robots.render([[7, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]])))
    scores = model.scores(red, np.stack([x, x]))
    assert scores[0, 0] > scores[0, 1] and scores[1, 1] > scores[1, 0]
# ------------------------------------------------------------------------------------------- styles


def test_styles_draw_robots_as_the_card_says():
    gan, claimed = pretrained.shared("stylegan-robots"), pretrained.card("stylegan-robots")["metrics"]
    gan.sample(1, 0)
    started = time.perf_counter()
    x = gan.sample(100, 8)
    assert time.perf_counter() - started < 2
    found = worlds.SpeckledRobots().judge(np.concatenate([x, gan.sample(200, 9)]))
    slacks = {"within 0.06": 0.1, "within 0.06 over the picture": 0.1, "median distance": 0.01, "bits": 0.12,
              "pairs held out": 0.1}
    for metric, slack in slacks.items():
        assert found[metric] == pytest.approx(claimed["5,000 samples"][metric], abs=slack), metric
    assert claimed["5,000 samples"]["median distance"] < 0.16 and claimed["5,000 samples"]["bits"] > 3.1
    assert claimed["5,000 samples"]["rarest value"] > 0.03 and found["rarest value"] > 0


def test_what_layers_and_noise_decide_is_what_the_card_says():
    gan, claimed = pretrained.shared("stylegan-robots"), pretrained.card("stylegan-robots")["metrics"]
    world = worlds.SpeckledRobots()
    mixing = world.mixing(gan, 50, seed=10)
    for name in (f"layers 0 to {k} of another robot" for k in range(gan.layers)):
        for attribute, share in mixing[name].items():
            assert share == pytest.approx(claimed[name][attribute], abs=0.3), (name, attribute)
    shaken, told = world.shaking(gan, 100, seed=11), claimed["changed by new noise"]
    for name in told:
        assert shaken[name] == pytest.approx(told[name], abs=0.1), name
    assert told["ground"] > 3 * told["robot's pixels"] and shaken["ground"] > 3 * shaken["robot's pixels"]
