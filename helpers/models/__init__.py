"""Networks that restore and generate, one file each: the network, its loss and the object that a reader uses."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets on standard error
