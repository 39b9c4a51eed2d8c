"""The training loop: one seed, one curve, and nothing that stops a training loses it or the old weights."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import pretrained, recipes, training
from helpers import train as command
from helpers.images import cache_folder
from helpers.models import gan
from helpers.training import Loop
from tests.unit import toy

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
FULL_DISK = OSError(errno.ENOSPC, "No space left on device")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    """Keep checkpoints and shortened weights out of the reader's folders."""
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(toy, "on_watch", [])


@pytest.fixture
def recipe(monkeypatch):
    return toy.install(monkeypatch)


def loop(recipe=toy.RECIPE):
    return Loop(lambda: toy.Training(recipe), recipe)


def state(loop):
    """Return everything that a loop knows, as arrays."""
    return values(loop._variables())


def values(variables):
    return [keras.ops.convert_to_numpy(v) for v in variables]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def at_once():
    """A toy that was trained without a stop."""
    whole = loop()
    assert whole.run(progress=False)
    return whole


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


# --------------------------------------------------------------------------------------------- the curve


def test_a_training_learns_and_keeps_its_curve(at_once):
    curve = np.array(at_once.curve)
    assert curve.shape == (12, 3) and list(curve[:, 0]) == list(range(1, 13))
    assert [step for step, _ in at_once.watched] == [3, 6, 9, 12]
    long = loop(toy.RECIPE._replace(steps=100, options={"dropout": 0.0}))
    long.run(progress=False)
    first, last = np.array(long.curve)[:10, 1:].mean(0), np.array(long.curve)[-10:, 1:].mean(0)
    assert (last < 0.2 * first).all()


def test_each_step_sees_other_data():
    still = loop(toy.RECIPE._replace(learning_rate=1e-20, options={"dropout": 0.0}))
    still.run(steps=6, progress=False)
    assert len({loss for _, loss, _ in still.curve}) == 6


def test_a_training_may_do_without_looks(at_once):
    blind = loop(toy.RECIPE._replace(look=0))
    blind.run(progress=False)
    assert blind.watched == [] and blind.curve == at_once.curve


def test_the_seed_decides_the_curve(at_once):
    again, other = loop(), loop(toy.RECIPE._replace(seed=1))
    again.run(progress=False)
    other.run(progress=False)
    assert again.curve == at_once.curve and again.watched == at_once.watched
    assert same(state(again), state(at_once))
    assert other.curve != at_once.curve


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(tmp_path, at_once):
    """Dropout, two players, running averages: all bit for bit."""
    path = tmp_path / "toy.npz"
    keras.utils.set_random_seed(99)  # what came before must not matter
    assert loop().run(path, steps=5, progress=False)
    second = loop()
    assert second.run(path, progress=False)
    assert second.curve == at_once.curve and same(state(second), state(at_once))
    assert [entry for entry in second.watched if entry[0] != 5] == at_once.watched


def test_the_minutes_of_a_stopped_training_are_added_up(tmp_path):
    path = tmp_path / "toy.npz"
    toy.on_watch.append(lambda: time.sleep(0.2))
    first = loop()
    first.run(path, steps=4, progress=False)
    second = loop()
    second.resume(path)
    assert first.minutes > 0.2 / 60 and second.minutes == first.minutes
    second.run(path, progress=False)
    assert second.minutes > first.minutes + 0.6 / 60, "three more looks"


def test_a_gan_goes_on_as_if_it_had_not_stopped(tmp_path):
    """The real two players, in the reduced precision of the recipes."""
    small = {"generator": {"width": 8, "latent": 4}, "discriminator": {"width": 8}}
    recipe = toy.RECIPE._replace(options={"r1": 0.1, **small}, steps=6, look=100, precision="mixed_bfloat16")

    class Training(gan.Training):
        def watch(self):
            return {}

    whole = Loop(lambda: Training(recipe, judge=None), recipe)
    whole.run(tmp_path / "gan.npz", steps=3, progress=False)
    whole.run(progress=False)
    resumed = Loop(lambda: Training(recipe, judge=None), recipe)
    resumed.run(tmp_path / "gan.npz", progress=False)
    assert len(whole.curve) == 6 and resumed.curve == whole.curve
    assert same(state(resumed), state(whole))


def test_a_diverging_training_says_so(tmp_path):
    path = tmp_path / "toy.npz"
    broken = loop()
    broken.training.networks["a"].trainable_variables[0].assign(np.full((3, 4), np.nan))
    with pytest.raises(FloatingPointError, match=r"nan.*step 1.*learning_rate"):
        broken.run(path, save_every=0, progress=False)
    assert not path.exists()


def test_precision_belongs_to_the_training_alone():
    recipe = toy.RECIPE._replace(precision="mixed_bfloat16")
    before = keras.mixed_precision.global_policy()
    assert loop(recipe).training.networks["a"].layers[2].compute_dtype == "bfloat16"
    with pytest.raises(RuntimeError):
        Loop(lambda: (_ for _ in ()).throw(RuntimeError()), recipe)
    assert keras.mixed_precision.global_policy() == before


def test_the_learning_rate_rises_and_falls():
    recipe = toy.RECIPE._replace(steps=100, warmup=10, learning_rate=0.01, final=0.05)
    optimizer = loop(recipe).optimizers["first"]
    rates = []
    for step in range(100):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert np.argmax(rates) == 10 and abs(rates[10] - 0.01) < 1e-6
    assert abs(rates[0] - 0.0001) < 1e-6 and np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)
    assert 0.05 * 0.01 <= rates[-1] < 0.06 * 0.01


def test_the_averaged_weights_are_the_average(at_once):
    """By hand: after the first step the average is the weight, then 0.9 of the old and 0.1 of the new."""
    one = loop()
    average = None
    for step in range(1, 5):
        one.run(steps=step, progress=False)
        now = values(one.training.networks["a"].trainable_variables)
        average = now if average is None else [0.9 * a + 0.1 * v for a, v in zip(average, now, strict=True)]
    with one.averaged():
        inside = values(one.training.networks["a"].trainable_variables)
    for a, b in zip(inside, average, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert not same(inside, now)
    assert same(values(one.training.networks["a"].trainable_variables), now)


def test_the_weights_come_back_even_if_the_look_fails():
    one = loop()
    one.run(steps=2, progress=False)
    before = state(one)
    with pytest.raises(RuntimeError), one.averaged():
        raise RuntimeError
    assert same(state(one), before)


# ---------------------------------------------------------------------------------------- what stops a training


def test_ctrl_c_stops_the_training_and_the_same_command_goes_on(tmp_path, monkeypatch, capsys, at_once):
    out = tmp_path / "out"
    toy.install(monkeypatch, seed=7)
    assert command.train("toy", folder=out, progress=False)
    old = files(out)
    toy.install(monkeypatch)
    handler = signal.getsignal(signal.SIGINT)
    toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert command.train("toy", folder=out, progress=False) is False
    assert "step 3 of 12: the same command goes on" in capsys.readouterr().out
    assert files(out) == old, "a stopped training must leave the old weights as they are"
    assert signal.getsignal(signal.SIGINT) is handler
    checkpoint = cache_folder() / "training" / "toy-shipped.npz"
    assert checkpoint.exists()
    toy.on_watch.clear()
    assert command.train("toy", folder=out, progress=False) is True
    assert pretrained.card("toy", out)["loss"] == at_once.curve
    assert list(checkpoint.parent.iterdir()) == [], "a finished training leaves no checkpoint"
    assert len(files(out)) == 2 and not set(files(out)) & set(old) - {"toy.json"}


def test_a_termination_signal_is_as_good_as_ctrl_c(tmp_path):
    handler = signal.getsignal(signal.SIGTERM)
    toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert loop().run(tmp_path / "toy.npz", progress=False) is False
    assert signal.getsignal(signal.SIGTERM) is handler
    resumed = loop()
    resumed.resume(tmp_path / "toy.npz")
    assert resumed.step == 3


def test_a_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt), training._Stop() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        assert stop.asked
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


KILLED = """
import os, signal
import numpy as np
from pathlib import Path
from tests.unit import toy
from helpers.training import Loop

loop = Loop(lambda: toy.Training(toy.RECIPE), toy.RECIPE)
whole = np.savez

def half(file, **arrays):
    if loop.step < 5:
        return whole(file, **arrays)
    file.write(b"PK" + bytes(1000))
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

np.savez = half
loop.run(Path("toy.npz"), save_every=0, progress=False)
"""


def test_a_killed_training_loses_only_what_came_after_the_last_checkpoint(tmp_path, at_once):
    """Killed in the middle of writing its fifth checkpoint, it has the fourth."""
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    resumed = loop()
    resumed.resume(tmp_path / "toy.npz")
    assert resumed.step == 4
    resumed.run(tmp_path / "toy.npz", progress=False)
    assert resumed.curve == at_once.curve


@pytest.mark.parametrize("where", ["numpy.savez", "os.replace", "tempfile.mkdtemp"])
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch, where):
    path = tmp_path / "toy.npz"
    one = loop()
    one.run(path, steps=2, progress=False)
    before = path.read_bytes()

    def full(file, *_, **__):
        if where == "numpy.savez":
            file.write(b"PK" + bytes(1000))
        raise FULL_DISK

    monkeypatch.setattr(where, full)
    with pytest.raises(ValueError, match=r"(toy\.npz|full_disk).*No space left") as caught:
        one.run(path, save_every=0, progress=False)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["toy.npz"]
    again = loop()
    again.resume(path)
    assert again.step == 2


def test_a_full_disk_at_the_end_leaves_the_old_weights_and_the_training(tmp_path, recipe, monkeypatch, at_once):
    """The weights cannot be written: the old pair stays, and the same command finishes without a further step."""
    out = tmp_path / "out"
    toy.install(monkeypatch, seed=7)
    assert command.train("toy", folder=out, progress=False)
    old = files(out)
    toy.install(monkeypatch)
    replace = os.replace

    def full(source, target):
        if str(target).endswith(".safetensors"):
            raise FULL_DISK
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(ValueError, match=r"toy-.*safetensors.*No space left"):
            command.train("toy", folder=out, progress=False)
    assert files(out) == old
    toy.on_watch.append(lambda: pytest.fail("the training was over already"))
    assert command.train("toy", folder=out, progress=False)
    assert pretrained.card("toy", out)["loss"] == at_once.curve and files(out) != old


# ------------------------------------------------------------------------------------------ bad checkpoints


def test_a_checkpoint_knows_its_recipe_again_whatever_its_options_hold(tmp_path):
    """JSON gives lists back for tuples, at every depth."""
    recipe = toy.RECIPE._replace(options={"noise": (-1.0, 1.3), "network": {"widths": (48, 96), "down": [(1,), None]}})
    loop(recipe).run(tmp_path / "toy.npz", steps=2, progress=False)
    again = loop(recipe)
    again.resume(tmp_path / "toy.npz")
    assert again.step == 2
    other = recipe._replace(options=recipe.options | {"network": {"widths": (48, 97), "down": [(1,), None]}})
    with pytest.raises(ValueError, match="another recipe"):
        loop(other).resume(tmp_path / "toy.npz")


@pytest.mark.parametrize("change", [{"learning_rate": 0.04}, {"seed": 1}, {"options": {"width": 5}}, {"steps": 13}])
def test_a_checkpoint_of_another_recipe_is_refused(tmp_path, change):
    path = tmp_path / "toy.npz"
    loop().save(path)
    other = loop(toy.RECIPE._replace(**change))
    before = state(other)
    with pytest.raises(ValueError, match=r"toy\.npz.*another recipe"):
        other.run(path, progress=False)
    assert other.step == 0 and same(state(other), before)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = tmp_path / "toy.npz"
    loop(toy.RECIPE._replace(options={"width": 5})).save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    story = json.loads(str(arrays.pop("story"))) | {"recipe": toy.RECIPE.fingerprint()}
    np.savez(path, story=np.array(json.dumps(story)), **arrays)
    with pytest.raises(ValueError, match=r"toy\.npz.*another recipe"):
        loop().resume(path)


def flip(content):
    return content[:700] + bytes([content[700] ^ 255]) + content[701:]


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-100],
    "half": lambda content: content[: len(content) // 2],
    "one byte": flip,
    "text": lambda content: b"some text",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    path = tmp_path / "toy.npz"
    loop().save(path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    one = loop()
    before = state(one)
    with pytest.raises(ValueError, match=r"toy\.npz.*cannot be read.*delete it to begin anew") as caught:
        one.run(path, progress=False)
    assert "\n" not in str(caught.value)
    assert one.step == 0 and same(state(one), before)


@pytest.mark.parametrize("arrays", [{}, {"story": np.array("no JSON")}, {"story": np.array({}, dtype=object)},
                                    {"story": np.array("{}"), "v1": np.zeros(1)}])
def test_an_archive_that_is_no_checkpoint_is_refused(tmp_path, arrays):
    path = tmp_path / "toy.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"toy\.npz.*cannot be read"):
        loop().resume(path)


@pytest.mark.parametrize("story", ["[]", "{}"])
def test_an_archive_with_another_story_is_refused(tmp_path, story):
    path = tmp_path / "toy.npz"
    np.savez(path, story=np.array(story))
    with pytest.raises(ValueError, match=r"toy\.npz"):
        loop().resume(path)


# -------------------------------------------------------------------------------------------- several devices

TWO_DEVICES = """
import helpers.models
import json, sys
import tensorflow as tf
from helpers.training import Loop, devices
from helpers.models import restorer
from tests.unit import toy

strategy = devices(2)
plain = toy.RECIPE._replace(clipnorm=None, options={"dropout": 0.0})
clipped = plain._replace(clipnorm=0.3)
real = plain._replace(options={"strength": 0.8, "network": {"channels": (8, 8, 8)}}, steps=6, learning_rate=3e-3)

class Restorer(restorer.Training):
    def watch(self):
        return {}

def curve(make, recipe, strategy=None):
    loop = Loop(lambda: make(recipe), recipe, strategy)
    loop.run(progress=False)
    return [losses for _, *losses in loop.curve]

def refused(recipe):
    try:
        Loop(lambda: toy.Training(recipe), recipe, strategy)
    except ValueError as error:
        return str(error)

summing = Loop(lambda: toy.Training(plain), plain, strategy)
report = {"devices": strategy.num_replicas_in_sync, "odd": refused(plain._replace(batch=7)),
          "sum": summing._vote(tf.constant([1.0, 2.0])).numpy().tolist()}
for name, make, recipe in [("toy", toy.Training, plain), ("clipped", toy.Training, clipped),
                           ("restorer", lambda recipe: Restorer(recipe, judge=None), real)]:
    report[name] = [curve(make, recipe), curve(make, recipe, strategy)]
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def two_devices():
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, timeout=300,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["toy", "restorer"])
def test_two_devices_give_the_curve_of_one(two_devices, name):
    assert two_devices["devices"] == 2
    one, two = np.array(two_devices[name])
    assert np.abs(one - one[0]).max() > 0.05, "a curve that stands still proves nothing"
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-4)


def test_two_devices_clip_the_gradient_of_the_whole_batch(two_devices):
    one, two = np.array(two_devices["clipped"])
    assert np.abs(one - two_devices["toy"][0]).max() > 0.01, "clipping must matter here"
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-4)


def test_a_batch_that_two_devices_cannot_share_is_refused(two_devices):
    assert two_devices["odd"] == "batch 7 cannot be shared by 2 devices"


def test_a_machine_with_two_devices_says_its_numbers_once(two_devices):
    assert two_devices["sum"] == [1.0, 2.0]


def test_devices_must_be_asked_for_early():
    loop()  # now TensorFlow has started
    with pytest.raises(ValueError, match=r"strategy.*before anything else runs"):
        training.devices(64)


# ------------------------------------------------------------------------------------------------ the command


def test_a_finished_training_writes_weights_and_a_card(tmp_path, recipe, monkeypatch, capsys):
    out = tmp_path / "out"
    toy.install(monkeypatch, steps=300)
    assert command.train("toy", folder=out, progress=False)
    card = pretrained.card("toy", out)
    assert card["recipe"] == toy.RECIPE._replace(steps=300).fingerprint()
    assert card["data"] == "points" and card["command"] == "python -m helpers train toy" and card["minutes"] >= 0
    assert card["parameters"] == 2 * (4 * 4 + 5) and card["hardware"] and card["versions"]["numpy"] == np.__version__
    assert len(card["loss"]) <= 101 and card["held out as it went"][-1][0] == 300
    ready = pretrained.load("toy", out)
    bias = float(ready.networks["a"].trainable_variables[-1].numpy()[0])
    assert card["metrics"] == {"bias": {"value": bias}}, "the card must speak of the weights as they are stored"
    assert card["held out as it went"][-1][1]["bias"] == pytest.approx(bias, rel=1e-3), "the averaged ones are stored"
    assert "wrote toy" in capsys.readouterr().out


def test_other_files_of_the_folder_stay(tmp_path, recipe):
    (tmp_path / "toy.txt").write_text("my notes")
    assert command.train("toy", folder=tmp_path, progress=False)
    assert (tmp_path / "toy.txt").read_text() == "my notes"


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path, recipe):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ValueError, match="out"):
        command.train("toy", folder=tmp_path / "out", progress=False)


def test_a_shorter_training_does_not_touch_the_full_weights(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "full")
    assert command.train("toy", epochs=2, progress=False)
    card = pretrained.card("toy", tmp_path / "weights")
    assert card["recipe"]["steps"] == 8 and not (tmp_path / "full").exists()
    assert command.train("toy", progress=False)
    assert pretrained.card("toy", tmp_path / "full")["recipe"]["steps"] == 12


def test_another_precision_does_not_touch_the_shipped_weights(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "full")
    assert command.train("toy", precision="mixed_bfloat16", progress=False)
    assert pretrained.card("toy", tmp_path / "weights")["recipe"]["precision"] == "mixed_bfloat16"
    assert not (tmp_path / "full").exists()
    assert command.train("toy", precision=recipe.precision, progress=False)
    assert pretrained.card("toy", tmp_path / "full")["recipe"] == recipe.fingerprint()
    with pytest.raises(ValueError, match="precision 'float16' is unknown"):
        command.train("toy", precision="float16", progress=False)


def test_other_precisions_have_checkpoints_of_their_own(tmp_path, recipe):
    toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    for precision in (None, "mixed_bfloat16"):
        assert command.train("toy", precision=precision, progress=False) is False
    assert len(list((cache_folder() / "training").glob("toy-*.npz"))) == 2


@pytest.mark.parametrize(("flags", "slow"), [
    ("flags : fpu avx2 fma", True), ("flags : avx2 avx512_bf16", False), ("Features : fp asimd bf16", False)])
def test_a_processor_that_imitates_bfloat16_is_told(tmp_path, recipe, monkeypatch, capsys, flags, slow):
    (tmp_path / "cpuinfo").write_text(flags)
    found = command._knows_bfloat16(tmp_path / "cpuinfo")
    monkeypatch.setattr(command, "_knows_bfloat16", lambda: found)
    monkeypatch.setitem(recipes.RECIPES, "toy", recipe._replace(precision="mixed_bfloat16"))
    command.train("toy", epochs=0.01, progress=False)
    assert ("--precision float32" in capsys.readouterr().out) is slow
    command.train("toy", epochs=0.01, progress=False, precision="mixed_bfloat16")
    assert "--precision" not in capsys.readouterr().out


def test_where_nothing_tells_of_the_processor_nothing_is_said(tmp_path):
    assert command._knows_bfloat16(tmp_path / "nothing") is None


def test_minutes_become_steps(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(command, "_steps_in", lambda minutes, make: round(10 * minutes))
    assert command.train("toy", minutes=0.5, progress=False)
    assert pretrained.card("toy", tmp_path / "weights")["recipe"]["steps"] == 5


def test_a_stopped_training_of_some_minutes_goes_on(tmp_path, recipe, monkeypatch):
    steps = iter((12, 13))
    monkeypatch.setattr(command, "_steps_in", lambda minutes, make: next(steps))
    stop = lambda: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
    toy.on_watch.append(stop)
    assert command.train("toy", minutes=1, progress=False) is False
    checkpoints = list((cache_folder() / "training").glob("*.npz"))
    assert command.train("toy", minutes=1, progress=False) is False
    assert list((cache_folder() / "training").glob("*.npz")) == checkpoints


def test_a_damaged_checkpoint_of_some_minutes_is_refused(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(command, "_steps_in", lambda minutes, make: 12)
    toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert command.train("toy", minutes=1, progress=False) is False
    (checkpoint,) = (cache_folder() / "training").glob("*.npz")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"checkpoint .*toy.*npz.* cannot be read .*delete it"):
        command.train("toy", minutes=1, progress=False)


def test_timing_the_steps_leaves_the_looks_out(recipe):
    toy.on_watch.append(lambda: time.sleep(0.5))
    assert command._steps_in(1, loop) > 1500, "a toy's step takes milliseconds"


def test_a_checkpoint_of_other_photos_is_not_used(tmp_path, monkeypatch):
    recipe = toy.install(monkeypatch, options={"patch": 8})
    for place in ("here", "there"):
        (tmp_path / place / "photos").mkdir(parents=True)
        levels = np.full((9, 9), len(place), np.uint8)
        Image.fromarray(levels).save(tmp_path / place / "photos" / "a.png")
    toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert command.train("toy", photos="here/photos", progress=False, folder="out") is False
    looks = []
    toy.on_watch[:] = [lambda: looks.append(1)]
    try:
        command.train("toy", photos="there/photos", progress=False, folder="out")
    except ValueError:
        return  # refused is as good as begun anew
    assert len(looks) == recipe.steps // recipe.look


def test_photos_reach_the_training(tmp_path, monkeypatch):
    toy.install(monkeypatch, options={"patch": 8}, steps=1, warmup=0)
    (tmp_path / "mine").mkdir()
    Image.fromarray(np.full((9, 11), 51, np.uint8)).save(tmp_path / "mine" / "a.png")
    seen = []
    monkeypatch.setattr(toy.Training, "__init__", _spy(toy.Training.__init__, seen))
    assert command.train("toy", photos="mine", folder="out", progress=False)
    (picture,) = seen[0]["pictures"]
    np.testing.assert_allclose(picture, np.full((9, 11), 0.2), atol=1e-6)
    card = pretrained.card("toy", "out")
    assert card["data"] == "1 pictures of mine" and card["command"] == "python -m helpers train toy --photos mine"


def _spy(function, seen):
    def called(self, recipe, **arguments):
        seen.append(arguments)
        return function(self, recipe, **arguments)

    return called


@pytest.mark.parametrize("steps", [1, 2, 5, 30, 3000])
def test_a_shortened_recipe_runs_its_learning_rate_down(steps):
    recipe = command.shorten(toy.RECIPE._replace(steps=10000, warmup=200, look=1000, record=50, ema=0.999), steps)
    assert recipe.steps == steps and 0 <= recipe.warmup < steps and 1 <= recipe.look <= steps
    assert 1 <= recipe.record <= steps and 0 <= recipe.ema <= 0.999
    optimizer = loop(recipe).optimizers["first"]
    optimizer.iterations.assign(steps)
    assert abs(float(optimizer.learning_rate) - recipe.learning_rate * recipe.final) < 1e-7


def test_one_step_is_a_training(tmp_path, recipe):
    assert command.train("toy", epochs=0.01, progress=False)
    assert pretrained.card("toy", tmp_path / "weights")["recipe"]["steps"] == 1
    assert np.isfinite(pretrained.load("toy", tmp_path / "weights").networks["a"].get_weights()[0]).all()


def test_a_full_disk_is_told_where_the_cache_is_made(tmp_path, recipe, monkeypatch):
    original = Path.mkdir

    def full(path, *arguments, **named):
        if "cache" in str(path):
            raise FULL_DISK
        return original(path, *arguments, **named)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(ValueError, match="No space left"):
        command.train("toy", folder=tmp_path / "out", progress=False)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"epochs": 0}, "epochs"), ({"epochs": -1}, "epochs"), ({"epochs": float("nan")}, "epochs"),
    ({"minutes": 0}, "minutes"), ({"minutes": "long"}, "minutes"), ({"strategy": -1}, "strategy"),
    ({"strategy": 1.5}, "strategy"), ({"photos": "nowhere"}, "photos"),
])
def test_a_wrong_argument_is_named(recipe, arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        command.train("toy", progress=False, **arguments)


def test_a_progress_bar_shows_step_and_loss(recipe, capsys):
    loop().run(steps=3)
    shown = capsys.readouterr()
    assert "3/3" in shown.err and "first=" in shown.err and "step 3: bias" in shown.out + shown.err
