"""Exercises of the page "Generate images by rule and by chance"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair


def halfway(answer):
    """Understand: the standard deviation halfway between two noises."""
    deviation = number(answer, "the standard deviation")
    if close(deviation, np.sqrt(0.5), 0.01):
        return "Halfway, noise is weaker by the square root of two: no longer the noise that the generator expects."
    if close(deviation, 0.5, 0.01):
        raise Mistake("0.5 is the *variance* halfway.", "The standard deviation is the square root of the variance.")
    if close(deviation, 1, 0.01):
        raise Mistake("Standard deviations do not average: highs and lows of independent noises partly cancel.",
                      "Add the variances, each times the square of its weight.")
    if close(deviation, np.sqrt(2), 0.01):
        raise Mistake("That is the standard deviation of the sum, without the halves.",
                      "Each noise enters with a weight of one half.")
    raise Mistake(f"{deviation:.3g} is not the standard deviation halfway.",
                  "Variance: 0.5² · 1 + 0.5² · 1. Or draw a million pairs and measure it.")


def twin(answer):
    """Understand: what random phases leave as it was."""
    letter = choice(answer, "abc")
    if letter == "b":
        return "The power at each frequency fixes the correlation at each shift: all of second order, and nothing else."
    if letter == "a":
        raise Mistake("The grey values change: a sum of waves in random phase has a bell-shaped histogram, "
                      "whatever the photograph had.", "What is computed from the power alone?")
    raise Mistake("Edges are where many waves agree in phase, and the phases are gone.",
                  "What is computed from the power alone?")


def grain(answer):
    """Change: clouds drawn out from left to right."""
    z = np.random.default_rng(4).standard_normal((64, 64))
    beta, ratio = 3.0, 4.0
    value = array(call(answer, z, beta, ratio), z.shape, "the picture")
    if value.std() == 0:
        raise Mistake("The picture has one grey value only.",
                      "Return the inverse Fourier transform of gain times that of z.")

    def alike(horizontal, vertical, exponent):
        return np.corrcoef(value.ravel(), _filtered(z, horizontal, vertical, exponent).ravel())[0, 1] > 0.9999

    if alike(ratio, 1, beta / 2):
        gain = _gain(len(z), ratio, 1, beta / 2)
        expected = _filtered(z, ratio, 1, beta / 2) / np.sqrt(np.mean(gain**2))
        if close(value, expected, 0.01):
            return "Long in space is short in frequency: the oldest rule of Fourier, and now you can touch it."
        raise Mistake(f"The grain is right, but the contrast is {value.std() / expected.std():.3g} times what it "
                      f"should be, and the mean is {value.mean():.2g}.",
                      "Keep the line that divides gain by its root mean square, and f[0, 0] = np.inf.")
    if alike(1, ratio, beta / 2) or alike(1 / ratio, 1, beta / 2):
        raise Mistake("The grain runs up and down.",
                      "Where a picture is long, its frequencies are *low*: multiply the horizontal frequency.")
    if alike(1, 1, beta / 2):
        raise Mistake("These are the round clouds of the page: `ratio` changes nothing.",
                      "Multiply the horizontal frequency by `ratio` before np.hypot, and only the horizontal one.")
    if alike(ratio, 1, beta):
        raise Mistake("The direction is right, but the power falls with 2β instead of β.",
                      "Power is amplitude squared, so the gain gets beta / 2.")
    raise Mistake("This is not the drawn-out cloud that belongs to z.",
                  "Start from `cloud` and change the line with np.hypot only.")


def _gain(n, horizontal, vertical, exponent):
    f = np.fft.fftfreq(n, 1 / n)
    f = np.hypot(vertical * f[:, None], horizontal * f)
    f[0, 0] = np.inf
    return f**-exponent


def _filtered(z, horizontal, vertical, exponent):
    return np.fft.ifft2(_gain(len(z), horizontal, vertical, exponent) * np.fft.fft2(z)).real


def favourite(answer):
    """Derive: the conditional probability with an external field."""
    neighbours = np.array([-4, -2, 0, 2, 4])
    J, h = 0.4, 0.3
    value = array(call(answer, neighbours, J, h), (5,), "the probability")

    def logistic(a):
        return 1 / (1 + np.exp(-a))

    if close(value, logistic(2 * (J * neighbours + h)), 1e-4):
        return "With h = 0 it is the formula of the page; a strong h overrules any neighbours."
    if close(value, logistic(J * neighbours + h), 1e-4):
        raise Mistake("The factor 2 is missing.",
                      "The exponents for white and for black are a and -a: they differ by 2a.")
    if close(value, logistic(2 * J * neighbours + h), 1e-4):
        raise Mistake("The neighbours count twice, the push only once.",
                      "The 2 stands before the whole sum: 2 (J · neighbours + h).")
    if close(value, logistic(-2 * (J * neighbours + h)), 1e-4):
        raise Mistake("This is the probability of black.",
                      "Check the sign: white neighbours should make white likelier.")
    if close(value, logistic(2 * (J * neighbours - h)), 1e-4):
        raise Mistake("The push goes towards black.", "A positive h should raise the probability of white.")
    if close(value, logistic(2 * J * (neighbours + h)), 1e-4):
        raise Mistake("The push is multiplied by J as well.", "In the exponent, h stands beside J · neighbours.")
    if value.min() < 0 or value.max() > 1:
        raise Mistake("A probability lies between 0 and 1.", "Divide: e^a / (e^a + e^-a).")
    raise Mistake("This is not the conditional probability.", "Divide e^a by e^a + e^-a with a = J · neighbours + h.")


def takes_over(answer):
    """Judge: where do the spectra of a photograph and of white noise cross?"""
    frequency, letter = pair(answer)
    frequency, letter = number(frequency, "the frequency"), choice(letter, "abc", "the sentence")
    if frequency < 1:
        raise Mistake(f"{frequency:g} is not a number of waves per picture.",
                      "The figure counts from 4 to about 120 waves; multiply cycles per pixel by 256.")
    if frequency > 80:
        raise Mistake("There the photograph is far below the noise already.",
                      "Compare the line of the photograph with that of the noise, not with the sum.")
    if not 29 <= frequency <= 39:
        raise Mistake(f"At {frequency:g} waves per picture one of the two is clearly the stronger.",
                      "Look for the crossing of the photograph's line and the level line of the noise.")
    if letter == "a":
        return "Left of the crossing a filter may let nearly all through, right of it little: the Wiener filter."
    raise {"b": Mistake("The photograph's line goes on below that of the noise.",
                        "It is weak there, and not zero. Where does your figure show it?"),
           "c": Mistake("The line of the noise is level: it is as strong on the left as on the right.",
                        "Which of the two is the stronger there?")}[letter]
