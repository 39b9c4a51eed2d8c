"""Networks that restore and generate, one file each: the network, its loss and the object that a reader uses.

Importing this package loads TensorFlow and Keras as the course needs them, whatever a reader's own settings say: Keras
on TensorFlow, the channels last, and their greetings off standard error. ``from helpers.models import keras, tf`` takes
both from here, wherever in the list of imports it stands.
"""

import os
import sys
import tempfile
from pathlib import Path


def _check_processor():
    """Raise where TensorFlow would only abort: its packages for x86 are compiled for AVX."""
    flags = Path("/proc/cpuinfo").read_text(errors="replace") if Path("/proc/cpuinfo").is_file() else ""
    listed = [line.split() for line in flags.splitlines() if line.startswith("flags")]
    if listed and "avx" not in listed[0]:
        raise ImportError("TensorFlow needs a processor with AVX instructions, and this one has none: the pages with "
                          "networks cannot run here, all others can")


def _load_tensorflow_quietly():
    """Set standard error aside while TensorFlow says what it found: its C++ part writes past Python's settings."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as aside:
        kept = os.dup(2)
        os.dup2(aside.fileno(), 2)
        try:
            import tensorflow

            tensorflow.config.list_physical_devices()  # it greets once more when it first looks for devices
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _load_keras():
    """Import Keras on TensorFlow with the channels last; raise if it was imported otherwise before."""
    import keras

    backend = keras.config.backend()
    if isinstance(backend, str) and backend != "tensorflow":  # the API page is made with a stand-in for Keras
        raise ImportError(f"Keras runs on {backend} here, and the networks of the course need "
                          "TensorFlow: import helpers.models before keras, or set KERAS_BACKEND=tensorflow")
    keras.config.set_image_data_format("channels_last")
    return keras


os.environ["KERAS_BACKEND"] = "tensorflow"  # before TensorFlow: it imports Keras too
if "tensorflow" not in sys.modules:
    _check_processor()
    _load_tensorflow_quietly()
keras = _load_keras()
import tensorflow as tf  # noqa: E402, F401 - not before all that


def adam_for(network, rate, **options):
    """Return Adam for a network, its variables made: left to ``fit``, they come while Keras traces the first training
    step, which it then traces again, and each network takes a second longer."""
    adam = keras.optimizers.Adam(rate, **options)
    adam.build(network.trainable_variables)
    return adam
