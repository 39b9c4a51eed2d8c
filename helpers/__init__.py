"""Shared code of the course *Image Generation and Restoration*.

Import what a page needs from the module that owns it, for example ``from helpers.operators import Blur``.
Importing this package loads nothing else: no NumPy, no TensorFlow, no data.
"""
