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


class _TimeOut(Exception):
    """Raised inside an answer that runs too long."""


def call(function, *arguments, seconds=10):
    """Return what the reader's ``function`` gives for ``arguments``, or say plainly what went wrong.

    The arguments are copied first, so a function that edits its input cannot spoil the check; that it edits them is
    told. After ``seconds`` the function is stopped.
    """
    if not callable(function):
        raise Mistake(f"A function is wanted, but a {type(function).__name__} came.",
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
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    where = f", in line {lines[0].lineno} of its cell" if lines else ""
    return Mistake(f"{name} stopped with {type(error).__name__}{where}: {error}.",
                   "Call it yourself in a new cell: Python then shows the whole story.")


def number(value, name="the answer"):
    """Return a reader's value as a finite float."""
    _refuse_nothing(value, name)
    _refuse_tensor(value, name)
    if isinstance(value, bool) or np.ndim(value) or not np.issubdtype(np.asarray(value).dtype, np.number):
        shape = f" of shape {np.shape(value)}" if np.ndim(value) else ""
        raise Mistake(f"One number is wanted for {name}, but a {type(value).__name__}{shape} came.",
                      "Reduce it to a single number, for example with np.mean or np.sum.")
    if np.iscomplexobj(value):
        raise Mistake(f"A real number is wanted for {name}, but a complex one came.")
    value = float(value)
    if not np.isfinite(value):
        raise Mistake(f"{name.capitalize()} is {value}.", "Look for a division by zero, or the logarithm of zero.")
    return value


def array(value, shape=None, name="the answer"):
    """Return a reader's value as a finite float array, of the given shape if one is asked for."""
    _refuse_nothing(value, name)
    _refuse_tensor(value, name)
    try:
        result = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise Mistake(f"An array of numbers is wanted for {name}, but a {type(value).__name__} came.") from None
    if shape is not None and result.shape != tuple(shape):
        raise Mistake(f"{name.capitalize()} has shape {result.shape}, expected {tuple(shape)}.",
                      "Print the shape after each step and see where it changes.")
    if not np.isfinite(result).all():
        raise Mistake(f"{name.capitalize()} holds NaN or infinite values.",
                      "Look for a division by zero, or the logarithm of zero.")
    return result


def choice(value, options, name="the answer"):
    """Return a reader's value if it is one of the offered ``options``, such as "a", "b", "c"."""
    _refuse_nothing(value, name)
    options = list(options)
    value = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(value, str) or value not in options:
        raise Mistake(f"{value!r} is not among the answers.", f"Choose one of {', '.join(map(repr, options))}.")
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
    if type(value).__module__.partition(".")[0] in ("tensorflow", "torch", "jax", "jaxlib"):
        raise Mistake(f"{name.capitalize()} is a {type(value).__name__} of {type(value).__module__.partition('.')[0]}, "
                      "and a NumPy array is wanted.", "Convert it with np.asarray(value) or value.numpy().")
