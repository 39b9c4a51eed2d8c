"""Exercises of the page "Learn the kernels: convolutional networks"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def count(answer):
    """Understand: how many weights has the live network, biases included?"""
    found = number(answer, "the number of weights")
    inner, ends = 9 * 16 * 16, 9 * 16
    if found == 2 * ends + 3 * inner + 4 * 16 + 1:
        return "Nearly all of them sit in the inner layers: there the number grows like the square of the channels."
    if found == 2 * ends + 3 * inner:
        raise Mistake("These are the kernels alone.", "Each channel that comes out of a layer has one bias.")
    if found in (2 * ends + 4 * inner + 5 * 16 + 1, 2 * ends + 4 * inner):
        raise Mistake("There is one inner layer too many.",
                      "Five layers in all: one from 1 to 16 channels, three from 16 to 16, one from 16 to 1.")
    if found in (9 * 16 * 4 + 9, 9 * (4 * 16 + 1) + 4 * 16 + 1):
        raise Mistake("You gave each output channel one kernel.",
                      "It has one kernel for each channel that comes in: the inner layers need 16 · 16 of them.")
    if found == 5 * 9 or found == 5 * 10:
        raise Mistake("You counted one kernel a layer.",
                      "There is one for each pair of an input and an output channel.")
    raise Mistake(f"{found:g} is not the number.",
                  "A layer from C to D channels has 9 · C · D weights in its kernels, and D biases.")


def shuffled(answer):
    """Understand: whose score suffers when all pictures are shuffled in one fixed order?"""
    if choice(answer, ["a", "b", "c", "d"]) == "c":
        return "Neighbourhood is what a convolution knows before it has seen anything. Shuffling takes it away."
    if answer.strip().lower() == "a":
        raise Mistake("One of the two never knew which pixels were neighbours, so it cannot miss that.",
                      "Shuffle the columns of W as the pixels were shuffled. What is W x now?")
    if answer.strip().lower() == "b":
        raise Mistake("For a dense layer a fixed shuffle only renames its inputs.",
                      "Compare W[:, order] @ x[order] with W @ x.")
    raise Mistake("One of the two looks at 3 × 3 pixels at a time, and after the shuffle these have nothing in common.",
                  "What would an edge detector find in a shuffled picture?")


def bend(answer):
    """Repair: the gradient through a ReLU."""
    rng = np.random.default_rng(2)
    W1, W2 = rng.standard_normal((6, 4)), rng.standard_normal((3, 6))
    x, b = rng.standard_normal(4), rng.standard_normal(3)
    found = call(answer, W1, W2, x, b)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Mistake("Two arrays are wanted, the derivatives by W1 and by W2, in this order.", "return a, b")
    first, second = array(found[0], W1.shape, "the first gradient"), array(found[1], W2.shape, "the second gradient")
    a = W1 @ x
    h = np.maximum(a, 0)
    error = W2 @ h - b
    back = W2.T @ error
    if not close(second, np.outer(error, h)):
        raise Mistake("The derivative by W2 was right, and is not any more.", "Leave np.outer(error, h) as it was.")
    if close(first, np.outer(back * (a > 0), x)):
        return "Forwards a value passes or it does not; backwards its gradient shares its fate."
    if close(first, np.outer(back, x)):
        raise Mistake("This is the gradient as it was: weights whose hidden value is cut off still get one.",
                      "Multiply `back` by 1 where W1 x is positive, and by 0 elsewhere.")
    if close(first, np.outer(np.maximum(back, 0), x)) or close(first, np.outer(back * (back > 0), x)):
        raise Mistake("The ReLU was applied to the gradient itself.",
                      "The gate is open where the *value* was positive, whatever the sign of the gradient.")
    if close(first, np.outer(back * h, x)):
        raise Mistake("The gradient was multiplied by the hidden values.", "The slope of max(a, 0) is 1 or 0, not a.")
    if close(first, np.outer(back * (a < 0), x)):
        raise Mistake("The gate is open where it should be closed.", "max(a, 0) has the slope 1 for positive a.")
    raise Mistake("A check by differences disagrees with the first gradient.",
                  "Chain rule: error, back through W2, through the gate, and then times x.")


def rescale(answer):
    """Change: use a denoiser that was made for one noise level at another level."""
    rng = np.random.default_rng(0)
    y, trained = rng.random((16, 20)), 0.1
    seen = []

    def denoise(picture):  # fades towards middle grey; not homogeneous, so that every step shows
        seen.append(np.array(picture, np.float64))
        return 0.5 + np.tanh(3 * (seen[-1] - 0.5)) / 4

    def shrunk(factor, middle=0.0):
        return middle + (0.5 + np.tanh(3 * (middle + (y - middle) * factor - 0.5)) / 4 - middle) / factor

    found, inside = {}, {}
    for sigma in (0.2, 0.05):
        seen.clear()
        found[sigma] = array(call(answer, y, sigma, denoise, trained), y.shape, "the answer")
        inside[sigma] = seen[-1] if seen else None

    def like(picture):
        return all(close(found[sigma], picture(sigma), 1e-4) for sigma in found)

    if any(given is None for given in inside.values()):
        raise Mistake("The denoiser was never asked.", "Call denoise on the rescaled picture.")
    if like(lambda sigma: shrunk(trained / sigma)) or like(lambda sigma: shrunk(trained / sigma, 0.5)):
        return ("Scale the noise to the level that the network knows, and scale back. A network without biases gives "
                "the same answer without the trick.")
    if like(lambda sigma: shrunk(1.0)):
        raise Mistake("The denoiser got y as it is.",
                      "Multiply y so that its noise has the level the denoiser was made for.")
    if like(lambda sigma: shrunk(sigma / trained)):
        raise Mistake("Scaled the wrong way: the noise is now even further from what the denoiser knows.",
                      "A noise of level σ times trained / σ has level trained.")
    if like(lambda sigma: shrunk(trained / sigma) * trained / sigma):
        raise Mistake("The answer still has the brightness of the rescaled picture.",
                      "Divide the answer by the factor that you multiplied y with.")
    if like(lambda sigma: shrunk((trained / sigma) ** 2)):
        raise Mistake("You scaled by the ratio of the variances.",
                      "A factor of a on y changes the standard deviation by a.")
    raise Mistake("The answer is not the rescaled denoiser's.",
                  "Three steps: multiply y by trained / sigma, denoise, divide by the same factor.")


def enlarge(answer):
    """Derive: the adjoint of a convolution with stride 2."""
    rng = np.random.default_rng(0)
    g, k = rng.standard_normal((5, 4, 2)), rng.standard_normal((3, 3, 3, 2))
    found = array(call(answer, g, k), (10, 8, 3), "the answer")
    spread = np.zeros((10, 8, 2))
    spread[::2, ::2] = g
    turned = k[::-1, ::-1].swapaxes(2, 3)
    if close(found, _convolve(spread, turned), 1e-4):
        return "The adjoint test holds. Generators and U-Nets enlarge by this layer; Keras calls it Conv2DTranspose."
    if close(found, _convolve(np.repeat(np.repeat(g, 2, 0), 2, 1), turned), 1e-4):
        raise Mistake("You repeated each number four times.",
                      "The stride dropped three of four pixels. To go back, put zeros where they were.")
    if close(found, _convolve(spread, k.swapaxes(2, 3)), 1e-4):
        raise Mistake("The kernel is not turned.",
                      "Use adjoint, which turns it by half a turn and exchanges its channels.")
    moved = np.zeros((10, 8, 2))
    moved[1::2, 1::2] = g
    if close(found, _convolve(moved, turned), 1e-4):
        raise Mistake("The numbers stand at the odd places, but the stride kept the even ones.",
                      "Put g at [::2, ::2].")
    if close(found[::2, ::2], _convolve(g, turned), 1e-4):
        raise Mistake("You carried g back first and spread it afterwards.",
                      "Forward: convolve, then drop. The adjoint runs in the other order: first put zeros back.")
    raise Mistake("The adjoint test fails for this answer.",
                  "Make a picture of zeros of twice the size, put g at its even places, and hand it to adjoint.")


def _convolve(x, k):
    (height, width), h = x.shape[:2], len(k)
    framed = np.pad(x, ((h // 2, h // 2), (h // 2, h // 2), (0, 0)))
    return sum(framed[i : i + height, j : j + width] @ k[i, j] for i in range(h) for j in range(h))
