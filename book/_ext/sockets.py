"""Kernels that run side by side and cannot be mixed up."""

import os

from traitlets.config import Config

LONGEST = 80  # characters of a socket's path, without its ending: systems allow about 100


def sockets(path):
    """Return the settings of a kernel whose sockets are files that begin with ``path``, where the system has such.

    The other way is ports, which are found free and taken a moment later, sometimes by another kernel in between.
    """
    if os.name == "nt" or len(path) > LONGEST:
        return Config()
    return Config(ConnectionFileMixin={"transport": "ipc", "connection_file": f"{path}.json"})
