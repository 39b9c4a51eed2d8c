"""Captions of robots as whole numbers, which a network reads: each word that says something has its number.

Articles and the like (``robots.FILLERS``) say nothing about a robot and are left out, all but "robot" itself.
"""

import re

import numpy as np
import tensorflow as tf

from helpers import validation
from helpers.images import robots
from helpers.training import split

_FIRST = [phrase.split()[0] for kind in robots.KINDS for phrase in robots.PHRASES[kind]]
_NOUNS = list(dict.fromkeys(word for phrases in robots.PHRASES.values() for phrase in phrases
                            for word in phrase.split()[1:]))
WORDS = ("", "robot", *robots.COLOURS, *_FIRST, *_NOUNS)  # 0 stands where there is no further word
ROBOT = WORDS.index("robot")
LENGTH = 12  # words of a caption; shorter ones end in noughts
MEANT = 2  # value v of attribute k is the word MEANT + 10 k + v
_NOUN = np.zeros((len(robots.ATTRIBUTES), robots.CHOICES), np.int32)  # the noun after the word, or 0
for _k, _kind in enumerate(robots.KINDS, start=1):
    for _v, _phrase in enumerate(robots.PHRASES[_kind]):
        _NOUN[_k, _v] = WORDS.index(_phrase.split()[1]) if " " in _phrase else 0
SPOKEN = 0.6  # how often a noun is said, in training


def tokens(words):
    """Return the numbers of the words of one caption, int32 (12,), or of several, (N, 12).

    Nothing is asked of what they mean together: a robot may be red and blue. :func:`helpers.images.robots.parse`
    refuses that.

    >>> tokens("A gray robot with an egg head")[:5].tolist() == [WORDS.index(w) for w in
    ...                                                         ("grey", "robot", "egg", "head", "")]
    True
    """
    if isinstance(words, (list, tuple)):
        if not words:
            raise ValueError("words is an empty list: give at least one caption")
        return np.stack([tokens(each) for each in words])
    if not isinstance(words, str):
        raise TypeError(f"words must be a string or a list of strings, but {validation.brief(words)} came")
    said = ["grey" if word == "gray" else word for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", words.lower())]
    for word in said:
        validation.choice(word, f"words {words!r}:", [*robots.FILLERS, *WORDS[1:]])
    numbers = [WORDS.index(word) for word in said if word in WORDS]
    if len(numbers) > LENGTH:
        raise ValueError(f"words {words!r} are too many: {len(numbers)} say something, expected at most {LENGTH}")
    return np.array(numbers + [0] * (LENGTH - len(numbers)), np.int32)


def leave_open(said, drop, seed):
    """Return attributes (N, 6) with some of them left open, -1. The share of those is itself drawn for each robot, with
    mean ``drop``: so all of them, some and none occur."""
    seeds = split(seed, 2)
    share = tf.random.stateless_uniform([tf.shape(said)[0], 1], seeds[0]) ** (1 / drop - 1)
    return tf.where(tf.random.stateless_uniform(tf.shape(said), seeds[1]) < share, robots.UNSAID, said)


def word(said, seed):
    """Return captions of attributes (N, 6) as words (N, 12), in a random order, with or without each noun."""
    seeds, n = split(seed, 2), tf.shape(said)[0]
    meant = tf.where(said < 0, 0, MEANT + 10 * tf.range(6) + said)
    noun = tf.where(said < 0, 0, tf.gather(_NOUN.ravel(), 10 * tf.range(6) + tf.maximum(said, 0)))
    robot = tf.fill([n, 1], ROBOT)
    phrases = tf.stack([tf.concat([tf.zeros_like(robot), meant], 1), tf.concat([robot, noun], 1)], axis=2)  # (N, 7, 2)
    spoken = tf.random.stateless_uniform([n, 7, 1], seeds[0]) < SPOKEN
    phrases = tf.where(spoken | (tf.range(2) == 0), phrases, 0)
    order = tf.argsort(tf.random.stateless_uniform([n, 7], seeds[1]), axis=1)
    line = tf.reshape(tf.gather(phrases, order, batch_dims=1), [n, 14])
    first = tf.argsort(tf.cast(line == 0, tf.int32), axis=1, stable=True)[:, :LENGTH]
    return tf.gather(line, first, batch_dims=1)
