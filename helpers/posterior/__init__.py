"""Restoration by drawing: several answers to one damaged picture, and worlds whose exact posterior is known."""
