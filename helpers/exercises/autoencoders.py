"""Exercises of the page "Squeeze a digit into a few numbers: autoencoders"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def gap(answer):
    """Understand: what does it mean that the bound equals the log-likelihood?"""
    reason = choice(answer, "abcd", "the reason")
    if reason == "c":
        return "The gap is KL(q(z|x) ‖ p(z|x)), and a divergence is zero only between equal distributions."
    if reason == "a":
        raise Mistake("A decoder that always errs can have a perfect encoder beside it.",
                      "The gap compares two distributions of codes, not two pictures.")
    if reason == "b":
        raise Mistake("That makes the other divergence zero, the one inside the bound.",
                      "The gap is the divergence from p(z|x), not from p(z).")
    raise Mistake("A picture may be very unlikely under the model, and the bound may still say so exactly.",
                  "The bound is compared with log p(x), not with the largest log p.")


def bill(answer):
    """Repair: the bound of each picture, its two parts in one currency."""
    rng = np.random.default_rng(1)
    x, m, tau = rng.random((2, 784)), np.array([[0.0, 0.0, 0.0], [2.0, -1.0, 0.5]]), 0.3
    x_hat = x + 0.1 * rng.standard_normal(x.shape)
    s = np.array([[1.0, 0.8, 1.0], [0.5, 0.1, 2.0]])
    squares = (x - x_hat) ** 2
    summed, mean = -squares.sum(axis=1) / (2 * tau**2), -squares.mean(axis=1) / (2 * tau**2)

    def divergence(logarithm, power=2):
        return 0.5 * np.sum(m**2 + s**power - 1 - logarithm, axis=1)

    right, halved = divergence(np.log(s**2)), divergence(np.log(s))
    value = call(answer, x, x_hat, m, s, tau)
    if np.shape(value) == () and (close(value, np.sum(summed - right)) or close(value, np.mean(summed - right))):
        raise Mistake("One number came for all pictures.", "One for each picture: every sum goes over axis 1.")
    found = array(value, (2,), "the bound")
    constant = 784 * np.log(tau * np.sqrt(2 * np.pi))
    if close(found, summed - right) or close(found, summed - right - constant):
        return "Nats for the error, nats for the code: only in one currency is the sum a bound."
    if close(found, mean - halved):
        raise Mistake("The bound is what it was.", "Compare each line with the formula of the page.")
    if close(found, summed - halved):
        raise Mistake("The error is mended. In the divergence there is still one fault.",
                      "For m = 0 and s = 1 each term must be at its least. Differentiate s² - log s.")
    if close(found, mean - right):
        raise Mistake("The divergence is mended. The error still weighs 784 times too little.",
                      "‖x - d(z)‖² is a sum over the pixels.")
    if close(found, mean - right / m.shape[1]):
        raise Mistake("Both are means now, one over 784 numbers and one over three.",
                      "Two means over different numbers are two currencies as well: take both sums.")
    if close(found, summed - divergence(np.log(s), power=1)):
        raise Mistake("You took s for the variance in both places.", "s is the standard deviation: s² and log s².")
    if close(found, summed + right):
        raise Mistake("The divergence is added, and the bound should pay it.", "Subtract it.")
    if close(found, -(summed - right)):
        raise Mistake("The sign is reversed: this is the loss.", "Return the bound, which is to be raised.")
    raise Mistake("These are not the bounds.", "-sum of squares / (2 τ²) minus the divergence, for each picture.")


def noise(answer):
    """Derive: the noise level of the decoder that makes the likelihood largest."""
    rng = np.random.default_rng(0)
    x = rng.random((6, 784))
    x_hat = x + 0.1 + 0.2 * rng.standard_normal(x.shape)
    error = x - x_hat
    right = np.sqrt(np.mean(error**2))
    found = number(call(answer, x, x_hat), "τ")
    if close(found, right):
        return "The root of the mean squared error. A learned τ is the error that the decoder still makes."
    if close(found, right**2):
        raise Mistake("This is τ², the mean squared error.", "Take the square root.")
    if close(found, np.mean(np.abs(error))):
        raise Mistake("This is the mean absolute error, which belongs to another kind of noise.",
                      "In a Gaussian the error stands squared.")
    if close(found, error.std()):
        raise Mistake("You subtracted the mean error first: what is always too bright would not count.",
                      "np.std removes the mean. Take the mean of the squares.")
    if close(found, np.sqrt(np.mean(np.sum(error**2, axis=1)))) or close(found, np.sqrt(np.sum(error**2))):
        raise Mistake("This is the error of a whole picture or of all of them.", "τ is the level in one pixel.")
    raise Mistake(f"{found:.4g} is not the best noise level.",
                  "The derivative of -E / (2τ²) - N log τ is E / τ³ - N / τ.")


def survivors(answer):
    """Stretch: how many numbers of a linear VAE carry anything under a weight beta?"""
    values = np.array([0.05, 0.2, 0.3, 0.5, 0.9, 1.7, 3.0, 6.0])
    cases = [(values, 0.5, 1.0, 8), (values, 0.5, 4.0, 8), (values, 0.5, 4.0, 2), (values, 0.5, 40.0, 8)]
    found = [number(call(answer, *case), "the count") for case in cases]

    def count(threshold, cap=True):
        living = [int(np.sum(values > threshold(tau, beta))) for _, tau, beta, _ in cases]
        return [min(n, case[3]) for n, case in zip(living, cases, strict=True)] if cap else living

    if found == count(lambda tau, beta: beta * tau**2):
        return "A number lives if its direction varies more than the noise that the decoder believes in, β τ²."
    if found == count(lambda tau, beta: beta * tau**2, cap=False):
        raise Mistake("More numbers survive than the code has.", "There can be no more than K.")
    if found == count(lambda tau, beta: tau**2):
        raise Mistake("Your count does not depend on β.", "A weight of β is a noise level of √β τ.")
    if found == count(lambda tau, beta: beta * tau):
        raise Mistake("You compare a variance with a standard deviation.",
                      "The eigenvalues are variances: square the noise level.")
    if found == count(lambda tau, beta: (beta * tau) ** 2):
        raise Mistake("β counts twice here.", "The noise level is √β τ, so its square is β τ².")
    if found == count(lambda tau, beta: tau**2 / beta):
        raise Mistake("With a larger β more numbers survive, and it should be fewer.",
                      "A larger β makes divergence dearer: multiply τ² by it.")
    raise Mistake("This is not how many survive.",
                  "Count the eigenvalues above β τ², and compare with K.")


def tighter(answer):
    """Stretch: the logarithm of the mean importance weight, safe for tiny weights."""
    for log_weights in (np.log([0.5, 1.0, 3.0, 0.1]), np.array([-2000.0, -2003.0, -2001.0]), np.array([900.0, 905.0])):
        largest = log_weights.max()
        right = largest + np.log(np.mean(np.exp(log_weights - largest)))
        value = call(answer, log_weights)
        if np.ndim(value) == 0 and np.isreal(value) and not np.isfinite(value):
            raise Mistake("For weights like exp(-2000) the result is no finite number.",
                          "Subtract the largest log-weight before np.exp, and add it again after np.log.")
        found = number(value, "the bound")
        if close(found, right, 1e-9):
            continue
        if close(found, log_weights.mean(), 1e-9):
            raise Mistake("This is the ELBO itself, the mean of the logarithms.",
                          "Here the mean comes first and the logarithm after it.")
        if close(found, right + np.log(log_weights.size), 1e-9):
            raise Mistake("This is the logarithm of the sum of the weights.", "Take their mean.")
        if close(found, largest, 1e-9):
            raise Mistake("This is only the best of the draws, and that may lie above log p(x).",
                          "Average all the weights.")
        if close(found, np.log(np.mean(np.exp(log_weights - largest))), 1e-9):
            raise Mistake("The largest log-weight was taken out and never put back.",
                          "Add it to the result.")
        raise Mistake("This is not the logarithm of the mean weight.", "log mean exp, in this order from the right.")
    return "By Jensen's inequality it is at least the ELBO on the same draws, and more draws bring it to log p(x)."
