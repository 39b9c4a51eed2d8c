"""Plausible wrong answers to the exercises of "Turn a generator into a restorer", each with a piece of its hint."""

import numpy as np


def gain(A, C, noise):
    return C @ A.T @ np.linalg.inv(A @ C @ A.T + noise * np.eye(len(A)))


def forgets_the_mean(y, A, mu, C, sigma):
    G = gain(A, C, sigma**2)
    return mu + G @ y, C - G @ A @ C


def takes_sigma_for_its_square(y, A, mu, C, sigma):
    G = gain(A, C, sigma)
    return mu + G @ (y - A @ mu), C - G @ A @ C


def forgets_the_noise(y, A, mu, C, sigma):
    G = gain(A, C, 0)
    return mu + G @ (y - A @ mu), C - G @ A @ C


def keeps_the_prior_covariance(y, A, mu, C, sigma):
    return mu + gain(A, C, sigma**2) @ (y - A @ mu), C


def returns_only_the_mean(y, A, mu, C, sigma):
    return mu + gain(A, C, sigma**2) @ (y - A @ mu)


WRONG = {
    "draws_needed": [
        (lambda loss: int(1 / (10 ** (loss / 10) - 1)), "round up"),
        (lambda loss: np.ceil(1 / (10 ** (loss / 20) - 1)), "amplitudes"),
        (lambda loss: np.ceil(10 ** (-loss / 10)), "not 1/K"),
        (lambda loss: np.ceil(1 / (np.exp(loss / 10) - 1)), "base ten"),
        (lambda loss: np.ceil(2 / (10 ** (loss / 10) - 1)), "twice too many"),
        (lambda loss: 4, "43 draws"),
    ],
    "with_mirrors": [
        (lambda patches: np.concatenate([patches, patches[:, ::-1]]), "half a turn"),
        (lambda patches: patches.reshape(-1, 8, 8)[:, :, ::-1].reshape(-1, 64), "As many patches"),
        (lambda patches: np.concatenate([patches, patches.reshape(-1, 8, 8)[:, ::-1].reshape(-1, 64)]), "upside down"),
    ],
    "posterior": [
        (forgets_the_mean, "Subtract A @ mu"),
        (takes_sigma_for_its_square, "covariances add"),
        (forgets_the_noise, "noise is missing"),
        (keeps_the_prior_covariance, "still that of the prior"),
        (returns_only_the_mean, "Two things"),
    ],
}
