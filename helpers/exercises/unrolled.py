"""Exercises of the page "Unroll the loop"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.operators import Blur, Mask


def _soft(v, t):
    return np.sign(v) * np.maximum(abs(v) - t, 0)


def _error(z_hat, z):
    return 10 * np.log10(np.mean((z_hat - z) ** 2) / np.mean(z**2))


def _problem(n, seed, sigma):
    """Return the page's matrix B, and n new unknowns and measurements."""
    B, rng = np.random.default_rng(0).standard_normal((30, 60)) / np.sqrt(30), np.random.default_rng(seed)
    five = rng.random((n, 60)).argsort(axis=1) < 5
    z = five * rng.standard_normal((n, 60))
    return B, z, z @ B.T + sigma * rng.standard_normal((n, 30))


def count(answer):
    """Understand: the numbers of ten layers with two free matrices, and with one."""
    got = array(answer, (2,), "the two counts")
    right = np.array([54_010, 18_010])
    if np.array_equal(got, right):
        return "A third as many: S = I − Mᵀ B is known as soon as M is, since B is known."
    if np.array_equal(got[::-1], right):
        raise Mistake("The two are exchanged.", "First the layer with two free matrices.")
    if np.array_equal(got, right - 10):
        raise Mistake("The thresholds are missing.", "Each layer has one.")
    if np.array_equal(got * 10, right):
        raise Mistake("This is one layer of each.", "There are ten.")
    if got[1] == right[1]:
        raise Mistake(f"The second count is right, the first is not {got[0]:.0f}.", "S is 60 × 60 and V is 60 × 30.")
    if got[0] == right[0]:
        raise Mistake(f"The first count is right, the second is not {got[1]:.0f}.", "M is 30 × 60; B is not learned.")
    raise Mistake("Neither count is right.", "Rows times columns of each free matrix, plus one threshold, ten times.")


def slope(answer):
    """Derive: the derivative of a loss by the threshold."""
    rng = np.random.default_rng(2)
    v, g, t = 2 * rng.standard_normal(40), rng.standard_normal(40), 0.8
    got, alive = number(call(answer, v, t, g), "the slope"), abs(v) > t
    right = -np.sum(g * np.sign(v) * alive)
    if close(got, right, 1e-6):
        return "The sum runs over the survivors: where the answer is zero, a little more threshold changes nothing."
    if close(got, -right, 1e-6):
        raise Mistake("The sign is turned round.", "A larger threshold makes a positive coefficient smaller.")
    if close(got, -np.sum(g * np.sign(v)), 1e-6):
        raise Mistake("Coefficients below the threshold count too.", "They are zero and stay zero: their slope is 0.")
    if close(got, -np.sum(g * alive), 1e-6):
        raise Mistake("Negative coefficients move the other way.", "Below −t the result is v + t: it grows with t.")
    if close(got, -np.mean(g * np.sign(v) * alive), 1e-6):
        raise Mistake("This is a mean.", "The chain rule adds over all coefficients.")
    step = 1e-6
    change = np.sum(g * (_soft(v, t + step) - _soft(v, t - step))) / (2 * step)
    raise Mistake(f"The slope is {got:.4f}, but a small change of t gives {change:.4f}.",
                  "Write soft(v, t) for v > t, for v < −t and between, and differentiate each by t.")


def forward(answer):
    """Repair: the forward pass of a learned network."""
    rng = np.random.default_rng(3)
    B = rng.standard_normal((6, 9)) / np.sqrt(6)
    M, t, y = B / 4 + 0.05 * rng.standard_normal((3, 6, 9)), np.array([0.3, 0.1, 0.02]), rng.standard_normal(6)

    def run(order):
        z = np.zeros(9)
        for k in range(3):
            z = order(z, M[k], t[k])
        return z

    got = array(call(answer, y, B, M, t), (9,), "the answer")
    if close(got, run(lambda z, m, s: _soft(z - m.T @ (B @ z - y), s)), 1e-6):
        return "Step first, shrink last: then a zero of the last layer is a zero of the answer."
    if close(got, run(lambda z, m, s: _soft(z, s) - m.T @ (B @ z - y)), 1e-6):
        raise Mistake("Nothing has changed yet: the last thing that happens is a step, which makes zeros nonzero.",
                      "The step belongs inside soft(…).")
    if close(got, run(lambda z, m, s: _soft(_soft(z, s) - m.T @ (B @ _soft(z, s) - y), 0)), 1e-6):
        raise Mistake("The shrinking still comes before the step.", "soft(z − Mᵀ(B z − y), t).")
    if close(got, run(lambda z, m, s: _soft(z - m.T @ (B @ z - y), t[0])), 1e-6):
        raise Mistake("All layers use the first threshold.", "Each layer has its own, t[k].")
    if close(got, run(lambda z, m, s: _soft(z - M[0].T @ (B @ z - y), s)), 1e-6):
        raise Mistake("All layers use the first matrix.", "Each layer has its own, M[k].")
    if close(got, run(lambda z, m, s: _soft(z + m.T @ (B @ z - y), s)), 1e-6):
        raise Mistake("The step goes uphill.", "Subtract Mᵀ times the residual B z − y.")
    raise Mistake(f"The answer for a small example starts with {np.round(got[:3], 3)}, expected "
                  f"{np.round(run(lambda z, m, s: _soft(z - m.T @ (B @ z - y), s))[:3], 3)}.",
                  "In each turn: z = soft(z − M[k].T @ (B @ z − y), t[k]).")


def back(answer):
    """Derive: the derivatives of a loss, carried back through a data step."""
    rng = np.random.default_rng(4)
    kernel, eta = rng.random((3, 3)), 0.7  # lopsided, and half of the pixels lost: no two of A, Aᵀ, A Aᵀ, Aᵀ A agree
    A = Mask.random((6, 7), 0.6, rng) @ Blur(kernel / kernel.sum())
    x, y, g = rng.standard_normal((3, 6, 7))
    got, there = array(call(answer, g, eta, A), g.shape, "the derivatives"), A.adjoint(A.forward(g))
    if close(got, g - eta * there, 1e-6):
        return "A data step on the way there, a data step on the way back, with the same A and the same adjoint."
    if close(got, g - eta * A.forward(A.adjoint(g)), 1e-6):
        raise Mistake("The two maps stand in the wrong order.", "The transpose of Aᵀ A is Aᵀ A: A is applied first.")
    if close(got, g + eta * there, 1e-6):
        raise Mistake("The second term has the wrong sign.", "v is x minus η Aᵀ(A x − y).")
    if close(got, -eta * there, 1e-6):
        raise Mistake("Half of the way is missing.", "x reaches v twice: as it is, and through the operator.")
    if close(got, g - there, 1e-6):
        raise Mistake("The size of the step is missing.", "η stands before Aᵀ A.")
    if close(got, g, 1e-6):
        raise Mistake("The operator is missing.", "x also stands inside A x − y.")
    for twice, never in (("forward", "adjoint"), ("adjoint", "forward")):
        apply = getattr(A, twice)
        if close(got, g - eta * apply(apply(g)), 1e-6):
            raise Mistake(f"The {twice} map is applied twice, the {never} never.", "(Aᵀ A)ᵀ = Aᵀ A: one of each.")
    direction = rng.standard_normal(g.shape)
    ends = [x + step * direction for step in (1e-4, -1e-4)]
    ends = [np.sum(g * (end - eta * A.adjoint(A.forward(end) - y))) for end in ends]
    change = (ends[0] - ends[1]) / 2e-4
    raise Mistake(f"Along one direction the loss should change by {np.sum(got * direction):.4f}, but it does by "
                  f"{change:.4f}.", "v = K x + a constant, with K = I − η Aᵀ A. What is Kᵀ g?")


def _deeper(pair, sigma=0.02):
    B, z, y = _problem(1000, 11, sigma)
    M, z_hat = 2 * np.linalg.pinv(B).T, np.zeros((len(y), 60))
    for k in range(20):
        z_hat = _soft(z_hat - (z_hat @ B.T - y) @ M, pair[0] * pair[1] ** k)
    return _error(z_hat, z)


def deeper(answer):
    """Change: first threshold and factor for twenty computed layers."""
    pair = array(answer, (2,), "the pair")
    if not (0 < pair[0] <= 10 and 0 < pair[1] <= 1):
        raise Mistake(f"{tuple(np.round(pair, 3))} is no pair of a first threshold and a factor.",
                      "First the threshold, then a factor between 0 and 1.")
    fall = _deeper(pair)
    if fall < -20.8:
        return f"{fall:.1f} dB on new draws, from a pseudo-inverse and two numbers."
    last = pair[0] * pair[1] ** 19
    if last < 0.012:
        raise Mistake(f"Only {fall:.1f} dB: the last threshold, {last:.2g}, is far below the noise of 0.02.",
                      "Let the thresholds fall more slowly.")
    if last > 0.04:
        raise Mistake(f"Only {fall:.1f} dB: the last threshold, {last:.2g}, still cuts what it should keep.",
                      "Let the thresholds fall faster.")
    raise Mistake(f"Only {fall:.1f} dB: thresholds that begin at {pair[0]:.2g} do not suit the first steps.",
                  "A first threshold below the size of a typical coefficient, which is about 1, is a good start.")


def loud(answer):
    """Stretch: one estimate for noise between 0.02 and 0.1."""
    falls = {}
    for sigma, limit in ((0.02, -14.5), (0.1, -10.2)):
        _, z, y = _problem(1000, 12, sigma)
        falls[sigma] = _error(array(call(answer, y, seconds=60), z.shape, f"the estimate at σ = {sigma:g}"), z), limit
    (soft, soft_limit), (noisy, noisy_limit) = falls.values()
    if soft < soft_limit and noisy < noisy_limit:
        return f"{soft:.1f} dB at σ = 0.02 and {noisy:.1f} dB at σ = 0.1. Now hold it against the rubric."
    if soft >= 0 or noisy >= 0:
        raise Mistake(f"{soft:.1f} dB and {noisy:.1f} dB: zero everywhere would have 0 dB.",
                      "Was the network trained for the page's B, and does it get y as it comes?")
    if soft < soft_limit:
        raise Mistake(f"Good where the noise is soft, {soft:.1f} dB, but {noisy:.1f} dB at σ = 0.1 is not below −10.2.",
                      "Has your network met loud noise in training? Do the thresholds stay above it?")
    if noisy < noisy_limit:
        raise Mistake(f"Good where the noise is loud, {noisy:.1f} dB, but {soft:.1f} dB at σ = 0.02 is not below −14.5",
                      "Has your network met soft noise too? Large thresholds throw small coefficients away.")
    raise Mistake(f"{soft:.1f} dB at σ = 0.02 (wanted: below −14.5) and {noisy:.1f} dB at σ = 0.1 (below −10.2).",
                  "Give each training instance a noise level of its own, and train as long as the page does.")
