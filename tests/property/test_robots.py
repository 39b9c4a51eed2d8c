"""What holds for every robot: it is drawn in range, read back from its pixels, from its number and from its words."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.images.robots import (
    HELD_OUT,
    allowed,
    caption,
    draw_robots,
    from_index,
    index,
    parse,
    read,
    render,
)

settings.register_profile("course", deadline=None, database=None, derandomize=True, max_examples=25)
settings.load_profile("course")

seeds = st.integers(0, 2**32 - 1)
robots = st.lists(st.integers(0, 9), min_size=6, max_size=6)
open_robots = st.lists(st.integers(-1, 9), min_size=6, max_size=6)


@settings(max_examples=15)  # a picture alone costs as much as forty of a batch
@given(robots, st.sampled_from([32, 64]))
def test_what_is_drawn_is_read(attributes, size):
    x = render(attributes, size)
    assert x.min() >= 0
    assert x.max() <= 1
    found, distance = read(x)
    assert found.tolist() == attributes
    assert distance == 0


@settings(max_examples=15)
@given(robots, seeds)
def test_what_is_drawn_is_read_through_noise(attributes, seed):
    x = render(attributes) + 0.03 * np.random.default_rng(seed).standard_normal((32, 32, 3))
    assert read(x)[0].tolist() == attributes


@settings(max_examples=15)
@given(seeds)
def test_the_robot_that_is_read_is_nearer_than_the_one_that_was_drawn(seed):
    """However strong the noise: what is read may be another robot, but never a worse one."""
    rng = np.random.default_rng(seed)
    attributes = draw_robots(3, seed, "all")
    x = render(attributes) + rng.uniform(0.1, 2) * rng.standard_normal((3, 32, 32, 3))
    _, distance = read(x)
    assert (distance <= np.sqrt(np.square(x - render(attributes)).mean(axis=(1, 2, 3))) + 1e-5).all()


@given(robots)
def test_numbers_are_places_of_digits(attributes):
    assert index(attributes) == int("".join(map(str, attributes)))
    assert from_index(index(attributes)).tolist() == attributes


@given(open_robots)
def test_what_is_said_is_understood(attributes):
    said = caption(attributes)
    assert parse(said).tolist() == attributes
    assert parse(said.upper().replace(",", " ;")).tolist() == attributes


@given(open_robots, st.randoms(use_true_random=False))
def test_phrases_may_come_in_any_order(attributes, random):
    phrases = caption(attributes).replace(" with ", ", ").replace(" and ", ", ").split(", ")
    random.shuffle(phrases)
    assert parse(", ".join(phrases)).tolist() == attributes


@given(robots)
def test_training_shows_no_held_out_pair(attributes):
    colour, _, head, accessory, _, _ = attributes
    held_out = (HELD_OUT["colour", "head"][colour] == head, HELD_OUT["head", "accessory"][head] == accessory)
    assert allowed(attributes) == (not any(held_out))
