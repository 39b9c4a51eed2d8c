"""A figure with a knob, drawn for every value beforehand: a reader of the built book turns it without a kernel.

The states are the page's own figures, as ``helpers.plots`` makes them, so the browser need not know how to draw. They
travel as text in which each line stands once, since most lines of two charts with the same axes are equal.
"""

import base64
import json
import re
import struct

import numpy as np

from helpers import validation

OPENING = '<script type="application/json" class="live-knob">'  # book/_ext/live.py finds the states by it
CLOSING = "</script>"
KINDS = ("image/svg+xml", "image/png")  # what a browser can show again
MOST = 60  # states: more are not told apart on a phone, and take long to draw


def knob(draw, label, values, start):
    """Draw a figure for each value of a knob; show the one of ``start``, and pack all of them for the built book.

    In the book an admonition of the classes ``live turn-knob`` stands behind the cell and becomes the slider.
    Outside a notebook only the figure of ``start`` is drawn.

    Parameters
    ----------
    draw : function of one value
        Shows one or more figures (``show``, ``chart`` … ``done``), of the same sizes for every value, and returns what
        they say in one line of words.
    label : str
        What the slider is called, such as ``"degree d"``.
    values : sequence of numbers
        At least two, increasing, at most ``MOST``.
    start : number
        One of ``values``: the state that is seen on paper, and until a reader acts.

    Raises
    ------
    TypeError or ValueError
        If an argument is not as described, or if ``draw`` shows no figure, one that is neither SVG nor PNG, or one
        whose size differs from value to value.
    """
    if not callable(draw):
        raise TypeError(f"draw must be a function of one value, but {validation.brief(draw)} came")
    label = _line(label, "label must be a line of words")
    values = _values(values)
    if start not in values:
        raise ValueError(f"start must be one of values, but {validation.brief(start)} came")
    shell = _shell()
    if shell is None:
        print(_words(draw(start), label, start))
        return
    from IPython.display import display

    states = [_capture(draw, label, value) for value in values]
    _, first = states[0]
    for value, (_, figures) in zip(values, states, strict=True):
        if [size(*figure) for figure in figures] != [size(*figure) for figure in first]:
            raise ValueError(f"draw shows {_sizes(figures)} for {label} = {spoken(value)}, expected {_sizes(first)} as "
                             f"for {spoken(values[0])}")
    words, figures = states[values.index(start)]
    for kind, content in figures:
        display({kind: content}, raw=True)
    print(words)
    content = {"label": label, "values": [spoken(value) for value in values], "start": values.index(start),
               "words": [said for said, _ in states], "figures": pack([shown for _, shown in states])}
    display({"text/html": OPENING + _for_html(content) + CLOSING}, raw=True)


def pack(states):
    """Return figures in a form in which each line of text stands once.

    Parameters
    ----------
    states : list of list of (kind, content)
        The figures of each state: their kinds are equal in all states.

    Returns
    -------
    dict
        ``kinds`` of the figures; ``lines``, all that occur; ``states``, for each state and each figure the runs
        of lines that make it, as [first, how many].
    """
    number, packed = {}, []
    for figures in states:
        packed.append([])
        for _, content in figures:
            runs = []
            for line in content.split("\n"):
                place = number.setdefault(line, len(number))
                if runs and sum(runs[-1]) == place:
                    runs[-1][1] += 1
                else:
                    runs.append([place, 1])
            packed[-1].append(runs)
    return {"kinds": [kind for kind, _ in states[0]], "lines": list(number), "states": packed}


def size(kind, content):
    """Return the kind of a figure, its width and its height: points of an SVG, pixels of a PNG in base64."""
    if kind == "image/png":
        return kind, *struct.unpack(">II", base64.b64decode(content[:64])[16:24])
    return kind, *map(float, re.search(r'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"', content).groups())


def spoken(value):
    """Return a value of a knob as it is read out: whole numbers as they are, others with three digits.

    >>> spoken(12), spoken(1e-05), spoken(1.9951)
    ('12', '0.00001', '2')
    """
    if float(value).is_integer():
        return str(int(value))
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def _for_html(content):
    """Return JSON in which nothing ends the script that holds it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def _values(values):
    values = list(values) if np.ndim(values) == 1 else values
    checked = validation.array(values, "values", ranks=(1,))
    if not 2 <= len(values) <= MOST:
        raise ValueError(f"values must hold 2 to {MOST} numbers, but {len(values)} came")
    falls = np.flatnonzero(np.diff(checked) <= 0)
    if len(falls):
        raise ValueError(f"values must increase, but {values[falls[0] + 1]} stands behind {values[falls[0]]}")
    return values


def _line(text, expected):
    if not isinstance(text, str) or not text.strip() or "\n" in text:
        raise TypeError(f"{expected}, but {validation.brief(text)} came")
    return text


def _words(words, label, value):
    return _line(words, f"draw must return a line of words for {label} = {spoken(value)}")


def _shell():
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def _capture(draw, label, value):
    """Return the words of one state and its figures, each as kind and text."""
    from IPython.utils.capture import capture_output

    with capture_output(stdout=False, stderr=False) as captured:
        words = draw(value)
    figures = []
    for output in captured.outputs:
        kind = next((kind for kind in KINDS if kind in output.data), None)
        if kind is None:
            raise ValueError(f"draw shows {' or '.join(output.data)} for {label} = {spoken(value)}, expected "
                             f"{' or '.join(KINDS)}")
        content = output.data[kind]
        figures.append((kind, content if isinstance(content, str) else base64.b64encode(content).decode("ascii")))
    if not figures:
        raise ValueError(f"draw shows no figure for {label} = {spoken(value)}")
    return _words(words, label, value), figures


def _sizes(figures):
    return ", ".join("{} of {:g} × {:g}".format(*size(*figure)) for figure in figures) or "nothing"
