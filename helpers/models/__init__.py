"""Networks that restore and generate, one file each: the network, its loss and the object that a reader uses.

Importing this package loads TensorFlow, and keeps its greetings off standard error: a page imports it before ``keras``.
"""

import os


def _load_tensorflow_quietly():
    """Look away from standard error while TensorFlow says what it found: its C++ part writes past Python's settings."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow

        tensorflow.config.list_physical_devices()  # it greets once more when it first looks for devices
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_load_tensorflow_quietly()
