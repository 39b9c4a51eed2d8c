"""Translate the engine's kernel from WebAssembly text to bytes, when the book is built."""

import base64
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "book/_static/live/kernel.wat"


def translate(path=SOURCE):
    """Return the WebAssembly program of a text file, as bytes."""
    from wasmtime import wat2wasm

    return bytes(wat2wasm(Path(path).read_text(encoding="utf-8")))


def packed(path=SOURCE):
    """Return the same in base64, as scripts carry it."""
    return base64.b64encode(translate(path)).decode("ascii")
