"""The course brings its own settings: whatever a reader's Keras is set to, the networks are those of the book."""

import json
import subprocess
import sys

import pytest

from tests import pages

READ = """
import numpy as np
from helpers import pretrained
print(pretrained.load("classifier").read(np.zeros((2, 28, 28), np.float32)).shape)
"""


def run(code, home, **settings):
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pages.ROOT,
        env=os.environ | {"KERAS_HOME": str(home)} | settings,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_networks_load_whatever_the_readers_settings_say(tmp_path):
    """Another backend and data format in Keras's own file, and a third backend in the environment."""
    settings = {"floatx": "float32", "backend": "torch", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    assert run(READ, tmp_path, KERAS_BACKEND="jax") == (0, "(2,)\n", "")
    assert run(READ, tmp_path)[:2] == (0, "(2,)\n")


def test_keras_that_was_imported_before_on_another_backend_is_told_in_one_sentence(tmp_path):
    fake = (
        "import sys, types\n"
        "keras, tensorflow = types.ModuleType('keras'), types.ModuleType('tensorflow')\n"
        "keras.config = types.SimpleNamespace(backend=lambda: 'jax')\n"
        "sys.modules.update(keras=keras, tensorflow=tensorflow)\n"
        "import helpers.models"
    )
    code, _, err = run(fake, tmp_path)
    assert code == 1 and "ImportError: Keras runs on jax here" in err


def test_a_processor_without_avx_is_told_before_tensorflow_aborts(monkeypatch):
    import pathlib

    from helpers import models

    monkeypatch.setattr(pathlib.Path, "read_text", lambda *a, **k: "processor: 0\nflags\t: fpu sse2 popcnt\n")
    monkeypatch.setattr(pathlib.Path, "is_file", lambda *a: True)
    with pytest.raises(ImportError, match="AVX"):
        models._check_processor()
    monkeypatch.setattr(pathlib.Path, "read_text", lambda *a, **k: "processor: 0\nflags\t: fpu sse2 avx avx2\n")
    models._check_processor()
    monkeypatch.setattr(pathlib.Path, "read_text", lambda *a, **k: "Processor: ARM\nFeatures: neon\n")
    models._check_processor()


def test_what_tensorflow_says_is_shown_when_it_cannot_be_imported(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'the reason\\n')\nraise ImportError('no TensorFlow')\n"
    )
    code, _, err = run("import helpers.models", tmp_path, PYTHONPATH=str(tmp_path))
    assert code == 1 and "the reason" in err and "no TensorFlow" in err


def test_half_precision_without_scaled_losses_is_refused():
    from helpers.training import Loop
    from tests.unit import toy

    with pytest.raises(ValueError, match=r"precision is 'mixed_float16', expected one of float32, mixed_bfloat16"):
        Loop(lambda: None, toy.RECIPE._replace(precision="mixed_float16"))


def test_adam_for_a_network_has_its_variables_before_training():
    from helpers.models import adam_for, keras

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    adam = adam_for(network, 0.01, beta_1=0.5)
    assert adam.built and len(adam.variables) == 2 + 2 * 2  # steps and rate, two means for kernel and bias each
    assert float(adam.learning_rate) == pytest.approx(0.01) and adam.beta_1 == 0.5
