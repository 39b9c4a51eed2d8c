"""Exercises of the page "What came after: diffusion, latents, prompts"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def steps(answer):
    """Understand: why a diffusion sampler needs many steps, even with a perfect denoiser."""
    picked = choice(answer, "abc", "the reason")
    if picked == "a":
        return "The first guess is a mean, and a mean of pictures is a blur. Each step narrows down what fits."
    if picked == "b":
        raise Mistake("One step has less rounding than eighty.",
                      "Ask what a perfect denoiser answers when it sees nothing but noise.")
    raise Mistake("A perfect denoiser works at every level; its answer is the posterior mean.",
                  "Which mean is it when the noise hides everything?")


def gaussian(answer):
    """Derive: the score of one Gaussian under noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 3))
    mu = np.array([0.5, -1.0, 2.0])
    root = rng.standard_normal((3, 3))
    C, sigma = root @ root.T, 0.7
    found = array(call(answer, x, sigma, mu, C), x.shape, "the score")

    def right(S):
        return -np.linalg.solve(S, (x - mu).T).T

    S = C + sigma**2 * np.eye(3)
    if close(found, right(S), 1e-6):
        return "One Gaussian, one matrix. Multiply by σ² and add x: this is the Wiener filter."
    if close(found, -right(S), 1e-6):
        raise Mistake("This pulls away from the mean: it is the gradient of minus the logarithm.",
                      "The density rises towards the mean, so the score points there.")
    if close(found, right(C + sigma * np.eye(3)), 1e-6):
        raise Mistake("Noise of level σ adds the variance σ², and here σ was added.", "Square it.")
    if close(found, right(C), 1e-6):
        raise Mistake("This is the score of the clean points.", "What does noise do to the covariance?")
    if close(found, right(C + sigma**2), 1e-6):
        raise Mistake("σ² was added to every entry of the matrix.", "Noise widens the diagonal: multiply by np.eye.")
    if close(found, -(x - mu) @ S, 1e-6):
        raise Mistake("You multiplied by the covariance instead of dividing by it.", "np.linalg.solve(S, …) divides.")
    if close(found, -np.linalg.solve(S, x.T).T, 1e-6):
        raise Mistake("The mean is missing.", "Measure the distance from mu.")
    raise Mistake("This is not the score.", "It is minus the inverse of C + σ² I, times x - mu, row by row.")


def saving(answer):
    """Change: how many times cheaper the steps are on codes."""
    N, K, count = 784, 32, 50
    found = number(call(answer, N, K, count), "the saving")
    once = number(call(answer, N, K, 1), "the saving with one step")
    right = count * N**2 / (count * K**2 + K * N)
    if close(found, right, 1e-6) and close(once, N**2 / (K**2 + K * N), 1e-6):
        return "Many steps share one decoder. That is why slow samplers gain most from a latent space."
    if close(found, (N / K) ** 2, 1e-6):
        raise Mistake("The decoder is free in this count.", "It costs K · N, once.")
    if close(found, 1 / right, 1e-6):
        raise Mistake("The fraction stands on its head.", "How many times *cheaper*: pixels over codes.")
    if close(found, N**2 / (K**2 + K * N), 1e-6):
        raise Mistake("The decoder runs at every step here.", "All steps are on codes; decode once, at the end.")
    if close(found, N / K, 1e-6):
        raise Mistake("A dense layer costs the square of its size.", "N² against K², for each step.")
    if close(found, count * N**2 - count * K**2 - K * N, 1e-6):
        raise Mistake("This is a difference of costs, and a ratio is wanted.", "Divide instead.")
    raise Mistake(f"{found:g} is not the ratio for N = 784, K = 32 and 50 steps.",
                  "steps · N² above; steps · K² + K · N below.")


def ddim(answer):
    """Stretch: one step of the sampler without new noise."""
    rng = np.random.default_rng(1)
    x, x_hat = rng.standard_normal((2, 6, 2))
    now, after = 2.0, 0.5
    found = array(call(answer, x, x_hat, now, after), x.shape, "the step")
    if close(found, x_hat + after / now * (x - x_hat), 1e-6):
        return "No noise is added: the whole picture hangs on where it started."
    if close(found, x_hat, 1e-6):
        raise Mistake("This jumps all the way to the denoised point.", "Noise of the level `after` must be left.")
    if close(found, x_hat + after * (x - x_hat), 1e-6):
        raise Mistake("The noise that was seen is not brought to unit size first.", "Divide x - x_hat by `now`.")
    if close(found, x_hat + now / after * (x - x_hat), 1e-6):
        raise Mistake("This step makes the noise stronger.", "The factor is after / now, smaller than one.")
    if close(found, x + after / now * (x_hat - x), 1e-6):
        raise Mistake("The two ends are exchanged: after = 0 must end in x_hat.",
                      "Start from x_hat and add what is left of x - x_hat.")
    if close(found, x_hat + after**2 / now**2 * (x - x_hat), 1e-6):
        raise Mistake("You scaled by variances.", "Noise scales with its standard deviation, σ.")
    raise Mistake("This is not the step.", "Put s = 0 into the formula: two terms are left.")
