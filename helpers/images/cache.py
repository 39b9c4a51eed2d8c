"""Where data that is slow to read is kept between two runs, and where packages keep the pictures they ship."""

import os
import tempfile
from pathlib import Path

import numpy as np


def cache_folder():
    """Return the folder for cached data: ``$IMAGE_COURSE_CACHE``, or the system's own cache folder."""
    import platformdirs

    return Path(os.environ.get("IMAGE_COURSE_CACHE") or platformdirs.user_cache_dir("image-course"))


def cached(name, keys, compute, valid=None):
    """Return the tuple of arrays that ``compute`` gives, from the cache if it holds them whole.

    ``valid`` says whether arrays may be what ``compute`` gives, by their types and shapes. A missing, half-written,
    damaged or read-only cache never stops a reader: the data is computed, and stored if it can be.
    """
    path = cache_folder() / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = tuple(archive[key] for key in keys)
        if not all(isinstance(values, np.ndarray) for values in arrays):  # a damaged member comes as bytes
            raise ValueError(f"{path} holds no arrays")
        if valid is not None and not valid(arrays):
            raise ValueError(f"{path} holds other arrays")
        return arrays
    except Exception:  # zip, pickle, key and OS errors alike: whatever is wrong, the cure is to compute again
        pass
    arrays = compute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # so that no half-written file stays behind
            temporary = Path(folder) / path.name
            np.savez(temporary, **dict(zip(keys, arrays, strict=True)))
            os.replace(temporary, path)
    except OSError:
        pass
    return arrays


def shipped(package, folder, what):
    """Return a folder of pictures inside an installed package, which is only read and never imported.

    Raises
    ------
    ModuleNotFoundError
        If the package, or the folder in it, is not there; ``what`` says which pictures are missing.
    """
    from importlib import metadata

    try:
        path = Path(metadata.distribution(package).locate_file(folder))
    except metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_dir():
        raise ModuleNotFoundError(f"{what} come with the package {package}, which is not installed here: run "
                                  f"pip install {package}")
    return path
