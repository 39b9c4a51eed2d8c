"""An IPython extension: every initial weight that Keras makes is moved by 1e-7, as another processor's rounding would.

``COURSE_PERTURB`` is the seed of the noise. Weights that are loaded from a file replace these and stay as they are.
"""

import importlib.abc
import os
import sys


def move_initial_weights(keras, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    add_weight = keras.layers.Layer.add_weight

    def moved(self, *arguments, **named):
        variable = add_weight(self, *arguments, **named)
        if variable.trainable and "float" in str(variable.dtype):
            variable.assign(variable + 1e-7 * rng.standard_normal(variable.shape).astype("float32"))
        return variable

    keras.layers.Layer.add_weight = moved


class _WhenKerasComes(importlib.abc.MetaPathFinder):
    """Waits for the import of Keras: pages without networks stay without."""

    def __init__(self, seed):
        self.seed = seed

    def find_spec(self, name, path, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("keras")
        sys.meta_path.insert(0, self)  # TensorFlow only asks where Keras is, before somebody imports it
        run = spec.loader.exec_module

        def exec_module(module):
            sys.meta_path.remove(self)
            run(module)
            move_initial_weights(module, self.seed)

        spec.loader.exec_module = exec_module
        return spec


def load_ipython_extension(shell):
    sys.meta_path.insert(0, _WhenKerasComes(int(os.environ["COURSE_PERTURB"])))
