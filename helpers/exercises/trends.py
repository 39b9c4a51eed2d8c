"""Exercises of the page "What came after: posteriors, latents, prompts"."""

import numpy as np

from helpers.exercises.answers import Mistake, call, choice, close, number


def shortcut(answer):
    """Understand: for one Gaussian, which variance of y is the right one."""
    picked = choice(answer, "abcd", "the variance")
    if picked == "c":
        return "For one Gaussian mean and variance say everything. For several groups the shape is missing."
    if picked == "a":
        raise Mistake("DPS takes the denoised point for the clean one, without any doubt.",
                      "Given the noisy point, is the clean one known?")
    if picked == "b":
        raise Mistake("That variance belongs to a Gaussian of spread 1 in every direction, and this one has another.",
                      "Which of the three asks the prior at hand?")
    raise Mistake("For a Gaussian prior y is Gaussian, given the noisy point.",
                  "Then a Gaussian with the right mean and the right variance is exact.")


def variance(answer):
    """Derive: the variance of a measurement, given a noisy point."""
    rng = np.random.default_rng(0)
    root, a = rng.standard_normal((3, 3)), np.array([1.0, -0.5, 2.0])
    C, noise = root @ root.T, 0.4
    for sigma in (0.7, 2.0):
        found = number(call(answer, sigma, C, a, noise), "the variance")
        left = C - C @ np.linalg.solve(C + sigma**2 * np.eye(3), C)
        if close(found, noise**2 + a @ left @ a, 1e-6):
            continue
        if close(found, a @ left @ a, 1e-6):
            raise Mistake("The noise of the measurement is missing.", "y = aᵀx₀ + n, and n is independent of the rest.")
        if close(found, noise + a @ left @ a, 1e-6):
            raise Mistake("The noise was added as a level, and variances add.", "Square it.")
        if close(found, noise**2 + a @ C @ a, 1e-6):
            raise Mistake("This is the variance before x is known.", "Take off what x tells about x₀.")
        if close(found, noise**2 + sigma**2 * a @ a, 1e-6):
            raise Mistake("This is the doubt that the noise alone would leave, without any prior.",
                          "The prior narrows it: C − C (C + σ² I)⁻¹ C.")
        if close(found, noise**2 + a @ (C - C @ np.linalg.solve(C + sigma * np.eye(3), C)) @ a, 1e-6):
            raise Mistake("σ stands where σ² belongs.", "The covariance of x is C + σ² I.")
        if close(found, noise**2 + sigma**2 / (1 + sigma**2), 1e-6):
            raise Mistake("This is the variance of ΠGDM, for a prior of spread 1.", "Put the C that you get into it.")
        raise Mistake(f"For σ = {sigma} the variance is {noise**2 + a @ left @ a:.4f}, and yours {found:.4f}.",
                      "noise² + aᵀ (C − C (C + σ² I)⁻¹ C) a.")
    return "The doubt about x₀ along a, and the noise: it does not depend on where the point lies."


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
