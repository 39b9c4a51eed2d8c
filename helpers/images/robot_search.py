"""An exact search through all robots of one colour: what ``robots.read`` is made of.

Robots are held as differences from white, whose pixels are mostly nought. A fourth channel, where there is one, tells
which part of a pixel a robot covers.
"""

import numpy as np

CHOICES = 10  # of each attribute


def bases(drawn, covered=False):
    """Return every body with every head, (10, 10, size, size, 3), as differences from white; if they are to be
    ``covered``, with a fourth channel that tells which part of a pixel they cover."""
    none = np.zeros(4 if covered else 3, np.float32)
    return over(over(none, drawn["body"][:, None]), drawn["head"])


def groups(base, drawn):
    """Sort the accessories by what eyes and mouth are pasted on.

    Return the group (10,) of each accessory, and for each group the pictures (10, 10, size, size, 3) under eyes and
    mouth. Group 0 holds all accessories that no eyes and no mouth ever cover: there the accessory makes no difference.
    """
    face = (drawn["eyes"][..., 3].any(axis=0)) | (drawn["mouth"][..., 3].any(axis=0))
    under = (drawn["accessory"][:, face, 3] > 0).any(axis=1)
    worn = [base, *(over(base, part) for part in drawn["accessory"][under])]
    return np.where(under, np.cumsum(under), 0), worn


def over(x, part):
    """Paste parts on pictures that are given as differences from white."""
    colour, alpha = part[..., :3], part[..., 3:]
    colour = colour - alpha
    if x.shape[-1] == 4:  # what is covered is pasted as a colour would be
        colour = np.concatenate([colour, alpha], axis=-1)
    return colour + (1 - alpha) * x


class Search:
    """All robots of one colour, arranged for an exact search.

    A cost is the squared distance to a picture, up to what does not depend on the robot. The cost of a body with a head
    is changed by an accessory in the few pixels where accessories lie, and then by eyes and mouth in theirs.
    """

    def __init__(self, drawn, speckled=False):
        base = bases(drawn, speckled)
        self.group, worn = groups(base, drawn)
        self.base = _Candidates(base.reshape(CHOICES**2, -1, base.shape[-1]))
        self.accessory = _changed(base, drawn["accessory"])
        self.face = [[_changed(on, drawn[kind]) for kind in ("eyes", "mouth")] for on in worn]

    def best(self, x):
        """Return the least cost (n,) and the designs (n, 5) that have it, for pictures (n, pixels · channels)."""
        cost = self.base(x)[..., None] + _change(self.accessory, x)  # (n, body and head, accessory)
        chosen = np.empty((*cost.shape, 2), np.int8)
        for group, face in enumerate(self.face):
            for column, candidates in enumerate(face):
                change = _change(candidates, x)
                cost[:, :, self.group == group] += change.min(axis=2)[..., None]
                chosen[:, :, self.group == group, column] = change.argmin(axis=2)[..., None]
        each, cost = np.arange(len(x)), cost.reshape(len(x), -1)
        least = cost.argmin(axis=1)
        designs = np.unravel_index(least, (CHOICES, CHOICES, CHOICES))
        return cost[each, least], np.column_stack([*designs, chosen.reshape(len(x), -1, 2)[each, least]])


class _Candidates:
    """Rows of pixel values, whose costs for a picture come from one product of matrices.

    With a fourth channel, the cover α, the cost of a pixel is α |x - r|² and what the ground there would cost less.
    """

    def __init__(self, rows, place=slice(None)):
        self.place = place
        colour, alpha = rows[..., :3], rows[..., 3:]
        if alpha.shape[-1]:
            rows = np.concatenate([alpha * colour, alpha], axis=-1)
            self.norms = (alpha * np.square(colour)).sum(axis=(1, 2))
        else:
            self.norms = np.square(colour).sum(axis=(1, 2))
        self.rows = rows.reshape(len(rows), -1)

    def __call__(self, x):
        return self.norms - 2 * (x[:, self.place] @ self.rows.T)


def _changed(bases, designs):
    """Return candidates for the pixels where designs of one kind lie: each base bare, and with each of them."""
    place, channels = designs[..., 3].any(axis=0), bases.shape[-1]
    bare = bases[:, :, None, place]
    patches = np.concatenate([bare, over(bare, designs[:, place])], axis=2)
    return _Candidates(patches.reshape(CHOICES**2 * (1 + CHOICES), -1, channels), np.repeat(place.ravel(), channels))


def _change(candidates, x):
    """Return by how much each of ten designs changes the cost of each base, (n, 100, 10)."""
    cost = candidates(x).reshape(len(x), CHOICES**2, 1 + CHOICES)
    return cost[..., 1:] - cost[..., :1]
