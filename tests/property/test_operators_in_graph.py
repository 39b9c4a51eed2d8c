"""Operators inside the graph are those of NumPy: forward, adjoint, and a gradient that is the adjoint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import helpers.models  # noqa: F401 - TensorFlow, quietly
from helpers import restoration
from helpers.operators import Blur, Downsample, Grey, Identity, Mask, Operator, Radon, Stack
from tests.property.test_operators import KINDS, cases, seeds


def close(tensor, array):
    """Assert that a tensor equals an array to 1e-5 of the largest value."""
    assert tuple(tensor.shape) == array.shape
    np.testing.assert_allclose(np.asarray(tensor), array, rtol=0, atol=1e-5 * max(1.0, np.abs(array).max()))


def batch(shape, pictures, seed):
    """Return a random batch (N, H, W, C): a grey picture gets one channel."""
    height, width, *channels = shape
    return np.random.default_rng(seed).standard_normal((pictures, height, width, *(channels or [1]))).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(data=st.data(), pictures=st.integers(1, 3), seed=seeds)
def test_the_graph_gives_what_numpy_gives_and_its_gradient_is_the_adjoint(kind, data, pictures, seed):
    import tensorflow as tf

    operator, shape = data.draw(cases(kind))
    x = batch(shape, pictures, seed)
    expected = np.stack([operator.forward(one) for one in x])
    y = np.random.default_rng(seed + 1).standard_normal(expected.shape).astype(np.float32)
    back = np.stack([operator.adjoint(one) for one in y])

    close(operator.forward(tf.constant(x)), expected)
    close(operator.adjoint(tf.constant(y)), back)
    with tf.GradientTape() as tape:
        tensor = tf.constant(x)
        tape.watch(tensor)
        product = tf.reduce_sum(operator.forward(tensor) * y)
    close(tape.gradient(product, tensor), back)


OPERATORS = [Identity(), Blur.gaussian(1.2), Blur.motion(5, 20, "reflect"), Mask.half((12, 12)), Downsample(3),
             Radon.sparse_view(12, 5), Downsample(2) @ Blur.gaussian(1), Grey()]


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
def test_an_operator_is_a_part_of_a_compiled_network(operator):
    import keras
    import tensorflow as tf

    x = batch((12, 12, 3), 2, 0)
    inputs = keras.Input((12, 12, 3))
    network = keras.Model(inputs, operator.adjoint(operator.forward(inputs)))
    expected = np.stack([operator.adjoint(operator.forward(one)) for one in x])
    close(network(x), expected)
    close(tf.function(network)(tf.constant(x)), expected)
    assert network.output_shape == (None, 12, 12, 3)


def test_one_operator_for_each_picture():
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x = batch((8, 9, 3), 4, 1)
    masks = [Mask.random((8, 9), 0.5, rng) for _ in x]
    for operators in (masks, [*masks[:3], Identity()]):
        together = Stack(operators)
        expected = np.stack([one.forward(picture) for one, picture in zip(operators, x, strict=True)])
        assert np.array_equal(together.forward(x), expected)
        close(together.forward(tf.constant(x)), expected)
        close(together.adjoint(tf.constant(expected)), together.adjoint(expected))


@pytest.mark.parametrize("call, error, words", [
    (lambda tf: Stack([]), ValueError, "operators is empty"),
    (lambda tf: Stack([Identity(), "blur"]), TypeError, r"operators\[1\] must be one of helpers.operators"),
    (lambda tf: Stack([Identity()] * 3).forward(np.zeros((2, 4, 4, 1))), ValueError, "x has 2 pictures, expected 3"),
    (lambda tf: Stack([Mask.half((4, 4))] * 3).adjoint(tf.zeros((2, 4, 4, 1))), ValueError, "y has 2 pictures"),
    (lambda tf: Stack([Mask.half((4, 4))] * 2).forward(tf.zeros((2, 5, 4, 1))), ValueError, r"mask has shape \(4, 4\)"),
    (lambda tf: Mask.half((4, 4)).forward(tf.zeros((1, 5, 4, 1))), ValueError, r"\(4, 4\), expected \(5, 4\)"),
    (lambda tf: Downsample(2).forward(tf.zeros((1, 5, 4, 1))), ValueError, "divisible by the factor 2"),
    (lambda tf: Radon(5, [0.0]).forward(tf.zeros((1, 4, 4, 1))), ValueError, "like the scanner"),
    (lambda tf: Radon(5, [0.0]).adjoint(tf.zeros((1, 4, 1, 1))), ValueError, "like the detector"),
    (lambda tf: Grey().forward(tf.zeros((1, 4, 4, 1))), ValueError, r"x has shape \(4, 4, 1\), expected \(H, W, 3\)"),
    (lambda tf: Grey().adjoint(tf.zeros((1, 4, 4, 3))), ValueError, r"y has shape \(4, 4, 3\), expected \(H, W, 1\)"),
    (lambda tf: Identity().forward(tf.zeros((4, 4))), ValueError, r"expected a batch \(N, H, W, C\)"),
    (lambda tf: Identity().forward(tf.zeros((1, 4, 4, 1), tf.int32)), TypeError, "must hold floating-point numbers"),
])
def test_bad_tensors_get_one_clear_sentence(call, error, words):
    import tensorflow as tf

    with pytest.raises(error, match=words):
        call(tf)


def test_a_symbolic_tensor_where_an_array_is_needed_is_named():
    import keras

    with pytest.raises(TypeError, match="y must be an array, but a symbolic tensor"):
        restoration.total_variation(keras.Input((8, 8, 1)), Identity(), 0.1)


def test_an_operator_of_ones_own_that_knows_arrays_only_says_so():
    import tensorflow as tf

    class Negative(Operator):
        name = "negative"

        def _forward(self, x):
            return 1 - x

    with pytest.raises(NotImplementedError, match="negative takes arrays only"):
        Negative().forward(tf.zeros((1, 4, 4, 1)))
    assert Negative().forward(np.zeros((2, 2))).all()
