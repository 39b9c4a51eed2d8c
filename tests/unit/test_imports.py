"""Importing the helpers costs nothing, brings no side effect, and what their docstrings show is true."""

import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import helpers

MODULES = ["helpers", *(f"helpers.{name}" for name in (
    "images", "images.cache", "images.folder", "images.earth", "images.robots", "operators", "metrics", "plots",
    "exercises", "files", "recipes", "pretrained", "league", "restoration", "train", "convert", "writing", "repair",
    "repair_folder", "workers"))]
HEAVY = ("tensorflow", "keras", "skimage", "matplotlib", "sklearn", "mlxtend", "scipy", "PIL", "IPython", "dask",
         "distributed")


def fresh(code, **environment):
    """Run code in a new interpreter, as importable as here, and return what it prints."""
    command = [sys.executable, "-c", code]
    path = os.pathsep.join([str(Path(helpers.__file__).parents[1]), *sys.path])
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path} | environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", MODULES)
def test_each_module_imports_alone_and_says_nothing(module):
    assert fresh(f"import {module}") == ""


@pytest.mark.parametrize("module", MODULES)
def test_importing_brings_nothing_heavy(module):
    loaded = json.loads(fresh(f"import json, sys, {module}; print(json.dumps(list(sys.modules)))"))
    assert module in loaded
    assert sorted(set(HEAVY) & set(loaded)) == []


def test_importing_the_package_brings_not_even_numpy():
    assert fresh("import sys, helpers; print('numpy' in sys.modules)") == "False\n"


def test_importing_the_package_takes_under_a_fifth_of_a_second():
    def duration(code):
        start = time.perf_counter()
        fresh(code)
        return time.perf_counter() - start

    bare = min(duration("pass") for _ in range(3))
    assert min(duration("import helpers") for _ in range(3)) - bare < 0.2


def test_importing_every_module_takes_little_more_than_numpy():
    """Processor time: less than NumPy itself takes, or than 0.2 s."""
    code = ("import time; start = time.process_time(); import numpy; between = time.process_time(); import {}; "
            "print(between - start, time.process_time() - between)")
    numpy, ours = np.min([np.float64(fresh(code.format(", ".join(MODULES))).split()) for _ in range(3)], axis=0)
    assert ours < max(numpy, 0.2)


def test_importing_writes_nothing(tmp_path):
    fresh(f"import {', '.join(MODULES)}", IMAGE_COURSE_CACHE=str(tmp_path), HOME=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("work", ["images.photo('camera', 32)", "images.photos('other', 8)", "images.glyphs(2)",
                                  "images.phantom(16)", "operators.norm(operators.Downsample(2), (8, 8))",
                                  "robots.read(robots.render([0] * 6))", "earth.continent('australia')"])
def test_reading_pictures_needs_no_heavy_package(work):
    """Pillow and NumPy are enough to read a shipped picture: the packages that ship them stay asleep."""
    code = ("import json, sys; from helpers import images, operators; from helpers.images import earth, robots; "
            f"{work}; print(json.dumps(list(sys.modules)))")
    loaded = json.loads(fresh(code))
    asleep = {"tensorflow", "keras", "skimage", "matplotlib", "sklearn", "robohash", "natsort", "mpl_toolkits"}
    assert sorted(asleep & set(loaded)) == []


def modules_with_docstrings():
    return [name for _, name, _ in pkgutil.walk_packages(helpers.__path__, "helpers.") if "exercises." not in name]


@pytest.mark.parametrize("name", modules_with_docstrings())
def test_docstring_examples_are_true(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_docstring_examples():
    found = [test for name in modules_with_docstrings()
             for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 1
