"""Trained weights with their model cards: ``load("denoiser")`` gives the ready object.

Weights are stored as float16 numbers in the safetensors format, which holds no code. The card (JSON) names its
weights file and that file's SHA-256. A new pair of files replaces an old one in one move: the renaming of the card.
"""

import functools
import hashlib
import json
from pathlib import Path

import numpy as np

from helpers import recipes
from helpers.files import make_folder, write_whole

FOLDER = Path(__file__).parent / "weights"


def names(folder=FOLDER):
    """Return the names of the models that have trained weights."""
    return sorted(path.stem for path in Path(folder).glob("*.json"))


def card(name, folder=FOLDER):
    """Return the model card as a dictionary: data, recipe, hardware, minutes, metrics with baselines, SHA-256."""
    origin = recipes.origin(name)
    path = Path(folder) / f"{name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing from {path.parent}: "
                         f"`{getattr(origin, 'command', f'python -m helpers train {name}')}` makes it") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no model card: {error}") from None
    if not isinstance(found, dict) or not {"weights", "sha256"} <= set(found):
        raise ValueError(f"{path} is no model card: it names no weights")
    return found


def load(name, folder=FOLDER):
    """Return the ready object of a trained model, made anew at each call: it may be trained further or taken apart.

    What the model needs (the inverter, for example, needs a GAN) comes from the same folder, or else from the shipped
    weights: from where the very weights lie that it was trained with.

    Raises
    ------
    ValueError
        For an unknown name; for a weights file that is missing, truncated or altered; for weights of another model.
        The message names the file.
    """
    recipe = recipes.origin(name)
    needed = {other: load(other, _home(name, other, wanted, folder))
              for other, wanted in card(name, folder).get("needs", {}).items()}
    ready = recipe.ready().blank(recipe, **needed)
    put(ready.networks, read(name, folder))
    return ready


def shared(name):
    """Return one object of a shipped model for everybody who only asks it: building it takes a second or two.

    Whoever wants to change a model takes one of its own, with :func:`load`.
    """
    return _shared(name, card(name)["sha256"])


@functools.lru_cache(maxsize=16)
def _shared(name, sha256):
    return load(name)


def _home(name, other, wanted, folder):
    """Return the folder that holds the weights ``wanted`` of another model, which ``name`` was trained with."""
    for place in dict.fromkeys((Path(folder), FOLDER)):
        if (place / f"{other}.json").exists() and card(other, place)["sha256"] == wanted:
            return place
    raise ValueError(f"weights of {name} were trained for another {other}: `python -m helpers train {name}`")


def home(name, folder):
    """Return ``folder`` if it holds a card of the model, or else that of the shipped weights."""
    return Path(folder) if (Path(folder) / f"{name}.json").exists() else FOLDER


def read(name, folder=FOLDER):
    """Return the stored arrays of a model by name, after checking that the file is whole and unaltered."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as parse

    about = card(name, folder)
    path = Path(folder) / about["weights"]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"weights {path} cannot be read: {error.strerror}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != about["sha256"]:
        raise ValueError(f"weights {path} are truncated or altered: their SHA-256 is {found[:12]}…, "
                         f"expected {about['sha256'][:12]}… as in {name}.json")
    try:
        return parse(content)
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"weights {path} are not in the safetensors format: {error}") from None


def put(networks, arrays):
    """Copy stored arrays into networks; raise ``ValueError`` if they belong to another model."""
    wanted = dict(_named(networks))
    if set(wanted) != set(arrays):
        odd = sorted(set(wanted) ^ set(arrays))[0]
        raise ValueError(f"weights belong to another model: {odd!r} is {'missing' if odd in wanted else 'unknown'}")
    for name, variable in wanted.items():
        if tuple(variable.shape) != arrays[name].shape:
            raise ValueError(f"weights belong to another model: {name!r} has shape {arrays[name].shape}, "
                             f"expected {tuple(variable.shape)}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"weights hold NaN or infinite values in {name!r}")
    for name, variable in wanted.items():
        variable.assign(arrays[name].astype(np.float32))


def save(name, networks, about, folder=FOLDER):
    """Write weights and card together or not at all, and delete the weights that they replace."""
    from safetensors.numpy import save as pack

    folder = Path(folder)
    make_folder(folder)
    arrays = {key: np.asarray(variable, np.float32).astype(np.float16) for key, variable in _named(networks)}
    content = pack(arrays)
    sha256 = hashlib.sha256(content).hexdigest()
    weights = f"{name}-{sha256[:8]}.safetensors"
    write_whole(folder / weights, lambda path: path.write_bytes(content))
    write_card(name, {**about, "weights": weights, "sha256": sha256}, folder)  # the one move
    for old in folder.glob(f"{name}-????????.safetensors"):
        if old.name != weights:
            old.unlink()


def write_card(name, about, folder=FOLDER):
    """Write a model card whole or not at all. It names its weights, which are there already."""
    text = json.dumps(about, indent=1, ensure_ascii=False)
    write_whole(Path(folder) / f"{name}.json", lambda path: path.write_text(text + "\n", encoding="utf-8"))


def _named(networks):
    """Yield every variable of some networks with a name that says which layer it belongs to."""
    for network_name, network in networks.items():
        for i, variable in enumerate(network.variables):
            if "seed_generator" not in variable.path:
                yield f"{network_name}/{i:03d}/{variable.path.rsplit('/', 1)[-1]}", variable
