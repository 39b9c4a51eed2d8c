"""Weights on disk: what was saved is what is loaded, and every bad file gets one clear sentence."""

import hashlib
import json
import os

import numpy as np
import pytest
from safetensors.numpy import save as pack

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import pretrained, recipes
from tests.unit import toy

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


@pytest.fixture(autouse=True)
def recipe(monkeypatch):
    yield toy.install(monkeypatch)
    pretrained._shared.cache_clear()


def networks(seed=0):
    """Return the networks of a toy with weights of many sizes."""
    made = toy.Toy.blank(toy.RECIPE).networks
    rng = np.random.default_rng(seed)
    for network in made.values():
        for variable in network.trainable_variables:
            variable.assign(rng.standard_normal(variable.shape) * 10.0 ** rng.uniform(-3, 3))
    return made


def weights(made):
    return [v.numpy() for network in made.values() for v in network.trainable_variables]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


@pytest.fixture
def saved(tmp_path):
    """A folder with the toy's weights and card."""
    pretrained.save("toy", networks(), {"name": "toy", "minutes": 0.5}, tmp_path)
    return tmp_path


def file_of(folder):
    (path,) = folder.glob("*.safetensors")
    return path


def replace_weights(folder, content):
    """Put other content in place of the weights, with the right SHA-256 in the card."""
    file_of(folder).write_bytes(content)
    card = json.loads((folder / "toy.json").read_text()) | {"sha256": hashlib.sha256(content).hexdigest()}
    (folder / "toy.json").write_text(json.dumps(card))


def refused(folder, *words):
    with pytest.raises(ValueError) as caught:
        pretrained.load("toy", folder)
    message = str(caught.value)
    assert type(caught.value) is ValueError and "\n" not in message and len(message) < 400
    for word in words:
        assert word in message, message


# -------------------------------------------------------------------------------------------------- good files


def test_loading_gives_what_was_saved_rounded_to_float16(saved):
    ready = pretrained.load("toy", saved)
    assert isinstance(ready, toy.Toy)
    expected = [w.astype(np.float16).astype(np.float32) for w in weights(networks())]
    assert same(weights(ready.networks), expected)
    assert not same(expected, weights(networks())), "rounding must show here"


def test_the_file_holds_float16_and_no_code(saved):
    stored = pretrained.read("toy", saved)
    assert {array.dtype for array in stored.values()} == {np.dtype(np.float16)}
    assert len(stored) == 8 and not any("seed" in name for name in stored)


def test_the_card_keeps_what_it_was_told_and_names_the_file(saved):
    card = pretrained.card("toy", saved)
    content = file_of(saved).read_bytes()
    assert card["minutes"] == 0.5 and card["weights"] == file_of(saved).name
    assert card["sha256"] == hashlib.sha256(content).hexdigest() and card["sha256"][:8] in card["weights"]
    assert pretrained.names(saved) == ["toy"]


def test_every_load_hands_out_an_object_of_its_own(saved):
    """Whoever trains or prunes what was loaded changes nobody else's."""
    first = pretrained.load("toy", saved)
    for weight in first.networks["a"].trainable_variables:
        weight.assign(0 * weight)
    again = pretrained.load("toy", saved)
    assert again is not first
    assert same(weights(again.networks), [w.astype(np.float16).astype(np.float32) for w in weights(networks())])


def test_the_shared_object_is_made_once_for_each_file_of_weights(saved, monkeypatch):
    monkeypatch.setattr(pretrained.card, "__defaults__", (saved,))
    monkeypatch.setattr(pretrained.load, "__defaults__", (saved,))
    first = pretrained.shared("toy")
    assert pretrained.shared("toy") is first and pretrained.load("toy") is not first
    pretrained.save("toy", networks(seed=1), {}, saved)
    second = pretrained.shared("toy")
    assert second is not first and not same(weights(second.networks), weights(first.networks))


def test_new_weights_replace_the_old_and_no_others(saved):
    old = file_of(saved)
    bystanders = [saved / "toy-old.safetensors", saved / "toyota-12345678.safetensors", saved / "toy-12345678.npz"]
    for path in bystanders:
        path.write_text("mine")
    pretrained.save("toy", networks(seed=1), {}, saved)
    assert not old.exists() and all(path.read_text() == "mine" for path in bystanders)
    assert (saved / pretrained.card("toy", saved)["weights"]).exists()
    pretrained.save("toy", networks(seed=1), {}, saved)  # the same again must not delete itself
    pretrained.load("toy", saved)


def test_needed_models_come_from_where_the_right_weights_lie(saved, tmp_path_factory, monkeypatch):
    """From the folder, or else from the shipped ones; never other weights than those it was trained with."""
    shipped = tmp_path_factory.mktemp("shipped")
    monkeypatch.setattr(pretrained, "FOLDER", shipped)
    monkeypatch.setitem(recipes.RECIPES, "friend", toy.RECIPE)

    def needed():
        return weights(pretrained.load("friend", saved).needed["toy"].networks)

    pretrained.save("toy", networks(seed=2), {}, shipped)
    here, there = pretrained.card("toy", saved)["sha256"], pretrained.card("toy", shipped)["sha256"]
    pretrained.save("friend", networks(), {"needs": {"toy": here}}, saved)
    assert same(needed(), weights(pretrained.load("toy", saved).networks))
    pretrained.save("friend", networks(), {"needs": {"toy": there}}, saved)
    assert same(needed(), weights(pretrained.load("toy", shipped).networks))
    pretrained.save("toy", networks(seed=3), {}, shipped)
    with pytest.raises(ValueError, match=r"friend were trained for another toy.*helpers train friend"):
        pretrained.load("friend", saved)
    assert pretrained.home("toy", saved) == saved and pretrained.home("toy", saved / "nowhere") == shipped


# --------------------------------------------------------------------------------------------------- bad files


def test_an_unknown_name_gets_its_near_matches():
    with pytest.raises(ValueError, match=r"name 'denoisr' is unknown: did you mean 'denoiser'"):
        pretrained.load("denoisr")
    with pytest.raises(TypeError, match="name"):
        pretrained.load(3)


def test_a_missing_card_says_how_to_make_it(tmp_path):
    refused(tmp_path, "toy.json is missing", str(tmp_path), "python -m helpers train toy")


def test_a_missing_weights_file_is_named(saved):
    path = file_of(saved)
    path.unlink()
    refused(saved, path.name, "No such file")


@pytest.mark.parametrize("card", ["", "{", "[]", "{}", '{"weights": "toy.safetensors"}', "3", "\ud83d"])
def test_a_file_that_is_no_card_is_named(saved, card):
    (saved / "toy.json").write_bytes(card.encode("utf-8", "surrogatepass"))
    refused(saved, "toy.json is no model card")


def test_a_card_that_cannot_be_read_is_named(saved):
    (saved / "toy.json").unlink()
    (saved / "toy.json").mkdir()
    refused(saved, "toy.json")


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[: len(c) // 2], lambda c: b"", lambda c: c + b"\0",
                                    lambda c: c[:-40] + bytes([c[-40] ^ 1]) + c[-39:],
                                    lambda c: c[:20] + bytes([c[20] ^ 128]) + c[21:]])
def test_a_truncated_or_altered_file_is_named(saved, damage):
    path = file_of(saved)
    path.write_bytes(damage(path.read_bytes()))
    refused(saved, path.name, "truncated or altered", "SHA-256")


@pytest.mark.parametrize("content", [b"", b"some text that is no weights file", bytes(8), b"\xff" * 64,
                                     b"\x80\x04\x95pickle"])
def test_a_file_of_another_format_is_named(saved, content):
    replace_weights(saved, content)
    refused(saved, file_of(saved).name, "not in the safetensors format")


def test_a_damaged_header_is_named(saved):
    """Lengths and offsets that lie, behind a right checksum."""
    content = bytearray(file_of(saved).read_bytes())
    content[0] ^= 1
    replace_weights(saved, bytes(content))
    refused(saved, file_of(saved).name, "not in the safetensors format")


def stored():
    return {key: np.asarray(value, np.float16) for key, value in pretrained._named(networks())}


def test_weights_with_a_missing_array_are_refused(saved):
    arrays = stored()
    gone = sorted(arrays)[3]
    del arrays[gone]
    replace_weights(saved, pack(arrays))
    refused(saved, "another model", gone, "missing")


def test_weights_with_an_unknown_array_are_refused(saved):
    replace_weights(saved, pack(stored() | {"c/000/kernel": np.zeros(3, np.float16)}))
    refused(saved, "another model", "c/000/kernel", "unknown")


def test_weights_of_another_shape_are_refused(saved):
    arrays = stored()
    name = next(iter(arrays))
    arrays[name] = arrays[name].T.copy()
    assert arrays[name].shape == (4, 3)
    replace_weights(saved, pack(arrays))
    refused(saved, "another model", name, "(4, 3)", "(3, 4)")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_numbers_are_refused_before_any_is_copied(saved, bad):
    arrays = stored()
    name = sorted(arrays)[-1]
    arrays[name][0] = bad
    made = networks(seed=3)
    before = weights(made)
    with pytest.raises(ValueError, match="NaN or infinite values in '" + name):
        pretrained.put(made, arrays)
    assert same(weights(made), before)
    replace_weights(saved, pack(arrays))
    refused(saved, "NaN", name)


# ------------------------------------------------------------------------------------------ whole or not at all


class Killed(BaseException):
    """What no ``except`` of the helpers catches: the process is gone."""


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
def test_a_kill_between_two_files_leaves_the_old_pair(saved, monkeypatch, ending):
    before = weights(pretrained.load("toy", saved).networks)
    replace = os.replace

    def die(source, target):
        if str(target).endswith(ending):
            raise Killed
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", die)
        with pytest.raises(Killed):
            pretrained.save("toy", networks(seed=1), {}, saved)
    assert same(weights(pretrained.load("toy", saved).networks), before)
    pretrained.save("toy", networks(seed=1), {}, saved)  # the next time it works, and cleans up
    assert len(list(saved.iterdir())) == 2


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
def test_a_full_disk_leaves_the_old_pair(saved, monkeypatch, ending):
    before = weights(pretrained.load("toy", saved).networks)
    replace = os.replace

    def full(source, target):
        if str(target).endswith(ending):
            raise OSError("No space left on device")
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(ValueError, match=r"toy.*No space left"):
            pretrained.save("toy", networks(seed=1), {}, saved)
    assert same(weights(pretrained.load("toy", saved).networks), before)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written to"):
        pretrained.save("toy", networks(), {}, tmp_path / "file" / "weights")
