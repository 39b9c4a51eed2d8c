"""Tools for judging answers: run the reader's code safely, and read what came back.

Each raises ``NotYet`` where there is nothing to judge, and ``Mistake`` with a hint where something is wrong.
"""

import ctypes
import threading
import traceback

import numpy as np


class Mistake(Exception):
    """An answer that is not right: what is wrong, and a hint."""

    def __init__(self, message, hint=""):
        super().__init__(message)
        self.message, self.hint = message, hint


class NotYet(Exception):
    """No answer so far."""


class _TimeOut(BaseException):
    """Raised inside an answer that runs too long; ``except Exception`` in a loop does not hold it."""


def call(function, *arguments, seconds=10):
    """Return what the reader's ``function`` gives for ``arguments``, or say plainly what went wrong.

    The arguments are copied first, so a function that edits its input cannot spoil the check; that it edits them is
    told. After ``seconds`` the function is stopped.
    """
    if not callable(function):
        raise Mistake(f"A function is wanted, but {_kind(function)} came.",
                      "Hand over the function itself, without calling it.")
    name = getattr(function, "__name__", "your function")
    given = [_copy(argument) for argument in arguments]
    outcome = {}

    def work():
        try:
            outcome["value"] = function(*given)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_TimeOut))
        thread.join(1)
        raise Mistake(f"{name} was still running after {seconds} seconds and was stopped.",
                      "Does every loop come to an end? Could a loop over pixels become one line of NumPy?")
    if "error" in outcome:
        raise _explain(name, outcome["error"])
    for position, (before, after) in enumerate(zip(arguments, given, strict=True), start=1):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise Mistake(f"{name} changed its argument number {position}: the caller's array is not what it was.",
                          "Work on a copy (x = x.copy()), or write x = x + 1 instead of x += 1.")
    value = outcome["value"]
    if value is None or value is ...:
        raise NotYet(f"{name} returned nothing: write its body and end it with a return.")
    return value


def _copy(argument):
    return argument.copy() if isinstance(argument, (np.ndarray, list, dict)) else argument


def _explain(name, error):
    """Turn an exception from the reader's code into a Mistake (or NotYet) that points at the reader's own line."""
    if isinstance(error, NotImplementedError):
        return NotYet(f"{name} is still to be written.")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    # a function of a library that was handed over as the answer has no line in the reader's notebook
    own = frames and "site-packages" not in frames[0].filename
    where = f", in line {frames[0].lineno} of its cell" if own else ""
    return Mistake(f"{name} stopped with {say(error)}{where}.",
                   "Call it yourself in a new cell: Python then shows the whole story.")


def say(error):
    """Return an exception as one phrase: its type and the first line of its message."""
    try:
        message = (str(error).strip().splitlines() or [""])[0].rstrip(".:")
    except Exception:  # an exception of the reader's own that cannot print itself
        message = ""
    return type(error).__name__ + (f" ({message})" if message else "")


def number(value, name="the answer"):
    """Return a reader's value as a finite float."""
    _refuse_nothing(value, name)
    _refuse_tensor(value, name)
    if isinstance(value, bool) or np.ndim(value) or not np.issubdtype(np.asarray(value).dtype, np.number):
        shape = f" of shape {np.shape(value)}" if np.ndim(value) else ""
        raise Mistake(f"One number is wanted for {name}, but {_kind(value)}{shape} came.",
                      "Reduce it to a single number, for example with np.mean or np.sum.")
    if np.iscomplexobj(value):
        raise Mistake(f"A real number is wanted for {name}, but a complex one came.")
    value = float(value)
    if not np.isfinite(value):
        raise Mistake(f"{_first_capital(name)} is {value}.", "Look for a division by zero, or the logarithm of zero.")
    return value


def array(value, shape=None, name="the answer"):
    """Return a reader's value as a finite float array, of the given shape if one is asked for."""
    _refuse_nothing(value, name)
    _refuse_tensor(value, name)
    try:
        result = np.asarray(value)
        if result.dtype.kind == "c":
            raise Mistake(f"{_first_capital(name)} is complex, and real numbers are wanted.",
                          "After an inverse Fourier transform, take the real part.")
        result = result.astype(np.float64)
    except (TypeError, ValueError):
        raise Mistake(f"An array of numbers is wanted for {name}, but {_kind(value)} came.") from None
    if shape is not None and result.shape != tuple(shape):
        raise Mistake(f"{_first_capital(name)} has shape {result.shape}, expected {tuple(shape)}.",
                      "Print the shape after each step and see where it changes.")
    if not np.isfinite(result).all():
        raise Mistake(f"{_first_capital(name)} holds NaN or infinite values.",
                      "Look for a division by zero, or the logarithm of zero.")
    return result


def choice(value, options, name="the answer"):
    """Return a reader's value if it is one of the offered ``options``, such as "a", "b", "c"."""
    _refuse_nothing(value, name)
    options = list(options)
    value = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(value, str) or value not in options:
        problem = f"{value!r} is not among the answers" if isinstance(value, str) else f"{_kind(value)} came"
        raise Mistake(f"One of the offered answers is wanted for {name}, but {problem}.",
                      f"Choose one of {', '.join(map(repr, options))}.")
    return value


def pair(value, what="what you measured, and the letter"):
    """Return the two parts of a reader's reading of a figure."""
    _refuse_nothing(value, "the reading")
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise Mistake(f"Two things are wanted, in parentheses: {what}.", 'For example (1.5, "a").')
    for part in value:
        _refuse_nothing(part, "one part of the reading")
    return value


def close(value, expected, tolerance=1e-5):
    """Tell whether a number or array equals the expected one, up to ``tolerance`` relative to its largest entry."""
    value, expected = np.asarray(value, np.float64), np.asarray(expected, np.float64)
    if value.shape != expected.shape:
        return False
    return bool(np.abs(value - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-12))


def _refuse_nothing(value, name):
    if value is ... or value is None:
        raise NotYet(f"There is nothing in {name} so far.")


def _refuse_tensor(value, name):
    library = type(value).__module__.partition(".")[0]
    if library in ("tensorflow", "torch", "jax", "jaxlib"):
        raise Mistake(f"{_first_capital(name)} is {_kind(value)} of {library}, and a NumPy array is wanted.",
                      "Convert it with np.asarray(value) or value.numpy().")


def _kind(value):
    name = type(value).__name__
    return f"an {name}" if name[0].lower() in "aeio" else f"a {name}"


def _first_capital(name):
    return name[:1].upper() + name[1:]
