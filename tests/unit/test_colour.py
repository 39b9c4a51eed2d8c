"""The benchmark of colours counts what it says: the guesses of its rivals, errors, and what answers say of theirs."""

import numpy as np
import pytest

from benchmarks import colour
from helpers.operators import LUMA, Grey


def painted(tint, seed=0, shape=(6, 8, 8)):
    """Return grey levels (6, 8, 8, 1) and pictures that are so grey, with green and blue a function of the grey."""
    grey = np.random.default_rng(seed).integers(60, 190, (*shape, 1)) / 255
    green, blue = grey * 0.9, tint(grey)
    red = (grey - LUMA[1] * green - LUMA[2] * blue) / LUMA[0]
    return grey, np.concatenate([red, green, blue], axis=-1).astype(np.float32)


def test_each_rival_finds_the_colours_that_it_can():
    for tint, line_is_right in ((lambda grey: 0.1 + 0.5 * grey, True), (lambda grey: 0.1 + grey**2, False)):
        grey, x = painted(tint)
        guesses = colour.rivals(x)
        line, table = (np.abs(guesses[name](grey) - x).max() for name in ("line", "table"))
        assert table < 1e-5 and (line < 1e-5) == line_is_right


def test_no_guess_from_one_grey_is_better_than_the_table_where_it_was_learned():
    x = np.random.default_rng(0).random((4, 16, 16, 3), dtype=np.float32)
    y = np.stack([Grey().forward(one) for one in x])
    y = np.rint(255 * y) / 255
    guesses = colour.rivals(x)
    errors = {name: np.mean((guess(y) - x) ** 2) for name, guess in guesses.items()}
    assert errors["table"] < errors["line"] < np.mean((y - x) ** 2)


def test_a_row_holds_the_errors_of_answers_of_their_mean_and_of_the_rivals():
    x, y = np.full((2, 2, 3), 0.5), np.full((2, 2, 1), 0.5)
    answers = np.stack([x + 0.1, x + 0.3])
    found = colour.row(answers, x, y, {"table": lambda y: np.repeat(y, 3, -1) + 0.05}, 2)
    assert found == {"one": pytest.approx(0.05), "mean": pytest.approx(0.04), "doubt": pytest.approx(1.5 * 0.02),
                     "seconds": 2, "table": pytest.approx(0.0025)}


def test_draws_of_the_posterior_err_as_they_say_and_others_do_not():
    """Truth and answers are Gaussian around the same mean; answers that are half as wide are too sure."""
    rng, guesses = np.random.default_rng(0), {"table": lambda y: np.repeat(y, 3, -1)}
    ratios = []
    for width in (0.1, 0.05):
        rows = [colour.row(0.5 + width * rng.standard_normal((16, 8, 8, 3)), 0.5 + 0.1 * rng.standard_normal((8, 8, 3)),
                           np.full((8, 8, 1), 0.5), guesses, 1) for _ in range(30)]
        found = colour.summary(rows)
        ratios.append(found["error to doubt"][0])
        low, high = found["error to doubt"][1:]
        assert low < ratios[-1] < high and found["patches"] == 30
        gain = found["table"][0] - found["mean"][0]
        assert found["gain"][0] == pytest.approx(gain, abs=1e-6) and found["one"][0] > found["mean"][0]
    assert ratios[0] == pytest.approx(1, abs=0.05)
    assert ratios[1] == pytest.approx(((0.1**2 + 0.05**2 / 16) / (17 / 16 * 0.05**2)) ** 0.5, abs=0.1)


def test_every_patch_gets_its_row_and_is_one_that_was_held_out(monkeypatch):
    from helpers.images import earth
    from helpers.posterior import samplers

    seen = []

    def sample(y, operator, sigma, model, n, seed, method, steps):
        assert method == "ddnm" and isinstance(operator, Grey) and sigma == colour.SIGMA and len(y) == n
        seen.append(y[::3])
        return np.repeat(y, 3, axis=-1)

    class Model:
        shape = 32, 32, 3

    monkeypatch.setattr(samplers, "sample", sample)
    monkeypatch.setattr(colour, "TOGETHER", 2)
    rows = colour.measure_continent("australia", Model, {"table": lambda y: np.repeat(y, 3, -1)}, 3, 3)
    truths = earth.patches("australia", 32)[:3]
    assert [len(one) for one in seen] == [2, 1] and len(rows) == 3
    grey = np.stack([Grey().forward(x) for x in truths])
    assert np.std(np.concatenate(seen) - grey) == pytest.approx(colour.SIGMA, rel=0.05)
    for one, x, y in zip(rows, truths, np.concatenate(seen), strict=True):
        assert one["table"] == pytest.approx(np.mean((y - x) ** 2), abs=1e-6) and one["doubt"] == 0
