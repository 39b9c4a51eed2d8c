"""Make the scripts that carry trained networks to the browser: lists of layers, and weights as base64.

A page that was opened as a file may not fetch another one. It may load a script, so what it needs comes as scripts,
each a call of ``live.deliver`` with a name and an object.
"""

import base64
import json
import zlib
from pathlib import Path

import numpy as np

from helpers import pretrained, validation

LISTS = Path(__file__).parent / "lists"
SERVED = {  # the networks of each model that pages bring to life
    "classifier": ("classifier",),
    "restorer": ("restorer",),
    "vae": ("encoder", "decoder"),
    "gan": ("generator", "discriminator"),
    "inverter": ("encoder",),
    "diffusion-digits": ("denoiser",),
    "diffusion-robots": ("denoiser",),
    "denoiser": ("denoiser",),
    "denoiser-colour": ("denoiser",),
    "stylegan-robots": ("mapping", "synthesis"),
}


def lists(name, folder=LISTS):
    """Return what is stored of a served model: ``networks``, from name to list of layers, and ``settings``."""
    path = Path(folder) / f"{validation.choice(name, 'name', SERVED)}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ValueError(f"{path} is missing or no list of layers: `python -m helpers.live` makes it") from None


def model(networks, arrays):
    """Return what the browser gets of a model: its lists, and the weights that they name in one string.

    Parameters
    ----------
    networks : dict
        From the names of networks to their lists of layers, as :func:`helpers.live.graph.write` returns them.
    arrays : dict
        From the names of weights to their values; what no list names is left out.

    Returns
    -------
    dict
        ``networks``; ``weights``, from name to place among all numbers and shape; ``numbers``, float16 in base64;
        ``crc32`` of their bytes.

    Raises
    ------
    ValueError
        If a list names weights that ``arrays`` lacks.
    """
    named = dict.fromkeys(value for network in networks.values() for layer in network["layers"]
                          for value in layer.values() if isinstance(value, str) and "/" in value)
    lacking = [name for name in named if name not in arrays]
    if lacking:
        raise ValueError(f"arrays lacks {lacking[0]!r}, which a list of layers names: `python -m helpers.live` "
                         "writes the lists anew")
    weights, numbers, place = {}, [], 0
    for name in named:
        weights[name] = [place, list(arrays[name].shape)]
        numbers.append(np.asarray(arrays[name], "<f2").tobytes())
        place += arrays[name].size
    content = b"".join(numbers)
    return {"networks": networks, "weights": weights, "numbers": base64.b64encode(content).decode("ascii"),
            "crc32": zlib.crc32(content)}


def shipped(name):
    """Return :func:`model` for the shipped weights of a served model, and its ``settings``."""
    stored = lists(name)
    return {"settings": stored["settings"], **model(stored["networks"], pretrained.read(name))}


def script(name, content):
    """Return a script that delivers an object to the page under a name."""
    return f"live.deliver({json.dumps(name)}, {json.dumps(content, ensure_ascii=False, separators=(',', ':'))});\n"
