"""Several machines train one network: one curve, one chief who writes, and any number of them goes on."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import train as command
from helpers import training
from helpers.models import tf
from helpers.training import Loop
from tests.unit import toy

ROOT = Path(__file__).parents[2]
STEPS = {"steps": 50, "look": 20, "options": {"dropout": 0.0}}
pytestmark = [pytest.mark.timeout(400), pytest.mark.filterwarnings("ignore:__array__ implementation")]

# Both are stopped by Ctrl-C at the chief's first look, and the same command goes on.
MACHINE = """
import json, os, shutil, signal, sys
from pathlib import Path

import helpers.models
from helpers import recipes, train
from tests.unit import toy

recipes.RECIPES["toy"] = toy.RECIPE._replace(**json.loads(sys.argv[1]))
sys.modules["helpers.models.toy"] = toy
drawn, draw = [], toy.Training.draw
toy.Training.draw = lambda self, seed, batch: drawn.append(batch) or draw(self, seed, batch)
toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGINT))
first = train.train("toy", folder="out", progress=False)
toy.on_watch.clear()
drawn_first = list(drawn)
for path in Path("cache").rglob("*.npz"):
    shutil.copy(path, "stopped.npz")
second = train.train("toy", folder="out", progress=False)
print(json.dumps({"finished": [first, second], "drawn": drawn_first}))
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(folder, config):
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", MACHINE, json.dumps(STEPS)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CONFIG": json.dumps(config),
                                     "CUDA_VISIBLE_DEVICES": "-1", "IMAGE_COURSE_CACHE": str(folder / "cache")})


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return the folders of a chief and a worker that trained together, and what each said."""
    place = tmp_path_factory.mktemp("machines")
    chief, worker = (f"127.0.0.1:{port}" for port in free_ports(2))
    running = {kind: start(place / kind, {"cluster": {"chief": [chief], "worker": [worker]},
                                          "task": {"type": kind, "index": 0}}) for kind in ("chief", "worker")}
    said = {}
    try:
        for kind, process in running.items():
            out, errors = process.communicate(timeout=300)
            assert process.returncode == 0, f"{kind}: {errors[-2000:]}"
            said[kind] = out.splitlines()
    finally:
        for process in running.values():
            process.kill()
    return place, said


def loop(parts=8):
    recipe = toy.RECIPE._replace(**STEPS)
    return Loop(lambda: toy.Training(recipe), recipe, parts=parts)


@pytest.fixture(scope="module")
def one():
    """The curve of a single process that draws the same batches."""
    alone = loop()
    alone.run(progress=False)
    return np.array(alone.curve)


def test_two_machines_follow_the_curve_of_one(two, one):
    place, _ = two
    card = json.loads((place / "chief/out/toy.json").read_text())
    found = np.array(card["loss"])
    assert found.shape == one.shape == (50, 3) and np.array_equal(found[:, 0], one[:, 0])
    np.testing.assert_allclose(found, one, rtol=1e-4)
    assert one[-1, 1] < 0.2 * one[0, 1]


def test_each_machine_draws_only_its_own_share(two):
    _, said = two
    for kind in ("chief", "worker"):
        drawn = json.loads(said[kind][-1])["drawn"]
        assert drawn == [1] * 4, "of a batch of eight, while the graph was made"


def test_one_that_is_stopped_stops_both_and_the_same_command_goes_on(two):
    _, said = two
    for kind in ("chief", "worker"):
        assert json.loads(said[kind][-1])["finished"] == [False, True]
        assert said[kind][0] == "stopped at step 20 of 50: the same command goes on from there"


def test_the_chief_alone_writes_files(two):
    place, _ = two
    assert list((place / "worker").iterdir()) == []
    assert len(list((place / "chief/out").iterdir())) == 2
    assert list((place / "chief/cache/training").iterdir()) == []


def test_another_number_of_machines_goes_on(two, one):
    """What two began, one process ends; it draws the parts that they would have drawn."""
    place, _ = two
    alone = loop(parts=1)
    alone.run(place / "chief/stopped.npz", progress=False)
    assert alone.parts == 8
    np.testing.assert_allclose(np.array(alone.curve), one, rtol=1e-4)


def test_parts_are_other_draws_of_the_same_kind(one):
    """Whole batches and parts give other numbers; a part must not repeat another's."""
    whole, parts = loop(1), loop()
    a = whole.training.draw(np.array([0, 3], np.int32), 8)[0]
    b = parts._drawn(parts._seeds(3), 0, 8)[0]
    assert a.shape == b.shape == (8, 3) and len(np.unique(b)) == 24 and not np.allclose(a, b)
    assert not np.allclose(b, parts._drawn(parts._seeds(4), 0, 8)[0])


def test_what_the_chief_has_reaches_who_has_nothing():
    """Step, parts and variables travel from a checkpoint; to their sum the others add nothing."""
    chief, other, sent = loop(parts=4), loop(), []
    chief.step = 7
    for number, variable in enumerate(chief._variables()):
        variable.assign(np.full(variable.shape, number))
    chief.several, chief._vote = True, lambda values: sent.append(values) or values
    chief._begin(None)

    def added_up(values):
        assert not values.numpy().any()
        return values + sent.pop(0)

    other.several, other.chief, other._vote = True, False, added_up
    other._begin(None)
    assert (other.step, other.parts) == (7, 4) and sent == []
    for number, variable in enumerate(other._variables()):
        assert (training._array(variable) == number).all()


def test_a_checkpoint_that_the_chief_cannot_read_ends_all(tmp_path):
    (tmp_path / "toy.npz").write_bytes(b"no checkpoint")
    chief, other, sent = loop(), loop(), []
    chief.several, chief._vote = True, lambda values: sent.append(values) or values
    with pytest.raises(ValueError, match=r"toy\.npz' cannot be read"):
        chief._begin(tmp_path / "toy.npz")
    other.several, other.chief, other._vote = True, False, lambda values: values + sent.pop()
    with pytest.raises(ValueError, match="the chief cannot read its checkpoint"):
        other._begin(None)


def test_a_machine_that_dies_is_one_clear_error(tmp_path):
    """What TensorFlow raises then, some seconds after the death."""
    def gone(step):
        raise tf.errors.UnavailableError(None, None, "Graph execution error:\n many lines")

    alone = loop()
    alone._update = gone
    with pytest.raises(tf.errors.UnavailableError):
        alone.run(progress=False)
    alone.several, alone._begin, alone._asked = True, lambda checkpoint: None, lambda stop: False
    with pytest.raises(ValueError, match="another machine no longer answers, at step 0") as caught:
        alone.run(progress=False)
    assert "\n" not in str(caught.value)


A, B = ["127.0.0.1:1"], ["127.0.0.1:2"]


@pytest.mark.parametrize(("config", "message"), [
    ({"cluster": {"worker": A + B}, "task": {"type": "worker", "index": 0}}, "TF_CONFIG names no chief"),
    ({"cluster": {"chief": A + B}, "task": {"type": "chief", "index": 0}}, "TF_CONFIG names more than one chief"),
    ({}, "TF_CONFIG names no chief"), ([], "TF_CONFIG cannot be read"), ("{", "TF_CONFIG cannot be read"),
    ({"cluster": {"chief": A, "ps": B}, "task": {"type": "chief", "index": 0}}, "the cluster has 'ps'"),
    ({"cluster": {"chief": A, "worker": B}}, "the task .* is none"),
    ({"cluster": {"chief": A, "worker": B}, "task": {"type": "worker", "index": 1}}, "the task .* is none"),
])
def test_a_tf_config_that_cannot_be_used_is_one_clear_error(monkeypatch, tmp_path, config, message):
    toy.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(ValueError, match=message) as caught:
        command.train("toy", folder="out", progress=False)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", [{"minutes": 1}, {"strategy": 2}])
def test_options_that_several_machines_cannot_share(monkeypatch, option):
    toy.install(monkeypatch)
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"chief": A}, "task": {"type": "chief", "index": 0}}))
    with pytest.raises(ValueError, match=f"{next(iter(option))}: not with TF_CONFIG"):
        command.train("toy", folder="out", progress=False, **option)


def test_machines_are_joined_before_anything_else(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"chief": A, "worker": B},
                                                "task": {"type": "chief", "index": 0}}))
    loop()
    training._join.cache_clear()
    with pytest.raises(ValueError, match="must be joined before anything else runs"):
        training.machines()
