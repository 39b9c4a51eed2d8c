"""The helpers are a house: rooms of a size to read in one sitting, and no import that runs upwards or in a circle."""

import ast
import functools
import graphlib
from pathlib import Path

import pytest

import helpers

ROOT = Path(helpers.__file__).parent
FILES = {".".join(("helpers", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
         for path in sorted(ROOT.rglob("*.py"))}


@functools.cache
def imported(name):
    """Return the modules of the helpers that one of them imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: the helpers are imported by their full names"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in FILES else node.module)
    return (found & set(FILES)) - {name, "helpers"}


def room(name):
    """Return the file or folder that stands directly in helpers/."""
    return ".".join(name.split(".")[:2])


def upstairs(graph):
    """Return a circle of imports, or an empty list: without a circle there are floors, and all imports run down."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_no_file_is_longer_than_one_sitting():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in FILES.items()}
    largest = max(lengths, key=lengths.get)
    assert lengths[largest] <= 600, f"{largest} has {lengths[largest]} lines"


def test_every_file_imports_only_from_files_below():
    assert upstairs({name: imported(name) for name in FILES}) == []


def test_every_room_imports_only_from_rooms_below():
    graph = {}
    for name in FILES:
        graph.setdefault(room(name), set()).update({room(other) for other in imported(name)} - {room(name)})
    assert upstairs(graph) == []


@pytest.mark.parametrize(("name", "other"), [("helpers.league.photographs", "helpers.league.peers"),
                                             ("helpers.restoration.tv", "helpers.restoration.quadratic"),
                                             ("helpers.train", "helpers.training"),  # inside a function
                                             ("helpers.models.restorer", "helpers.restoration")])
def test_imports_are_seen_in_whatever_way_they_are_written(name, other):
    assert other in imported(name)


def test_a_circle_is_seen():
    assert upstairs({"a": {"b"}, "b": {"c"}, "c": {"a"}})
