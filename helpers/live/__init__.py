"""Trained networks in the browser: each written as a list of layers, which one small engine runs.

A network is written once, in Keras. :mod:`helpers.live.graph` walks through it and writes what it does as a list of
layers, each naming its inputs and its weights (``lists/*.json``, made by ``python -m helpers.live``). With the shipped
weights, :mod:`helpers.live.pack` makes of such lists a script that a page of the book loads when a reader first acts.
The engine is ``book/_static/live/engine.js``; the steps that it takes over and over are WebAssembly, ``kernel.wat``.
"""

FIRST = 7, "half"  # the digit and its damage with which the panel "restore-digit" begins
PHOTO, LEVEL = "cat", 25 / 255  # the photograph and the noise with which the panel "denoise-photo" begins
WALK = {"label": -1, "sampler": "heun", "steps": 9, "guidance": 2, "seed": 9}  # that of the panel "draw-from-noise"
MIX = {"seeds": [1, 4], "second": [0, 1, 2], "along": 0.5, "truncation": 1, "noise": 1}  # of the panel "mix-styles"
