"""Exercises of the page "Let two networks play: adversarial training"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair


def walks_back(answer):
    """Judge: what does negative momentum do to two players in turn?"""
    beta, letter = pair(answer)
    beta, letter = number(beta, "β"), choice(letter, "abcd", "the sentence")
    if beta not in (-0.5, -0.1, 0, 0.1):
        raise Mistake(f"β = {beta:g} is none of the four.", "Give the β of the line that ends lowest.")
    if beta == 0:
        raise Mistake("Without momentum the line stays level for ever.", "Are there lines that fall?")
    if beta > 0:
        raise Mistake(f"With β = {beta:g} the players run away from each other.",
                      "Is the sign right? v steps by -τ u, u by +τ v, and each takes β times its own last step along.")
    if beta == -0.1:
        raise Mistake("This one comes in, and another one ends lower.",
                      "Read the right end of the figure, at step 200.")
    if letter == "a":
        return "A brake without a penalty: a part of each step is taken back in the next one."
    raise {"b": Mistake("The line of β = 0 neither falls nor rises.", "What did the page say of steps in turn?"),
           "c": Mistake("Two of the lines fall.", "Which sign have they?"),
           "d": Mistake("A ring would be a level line.", "Do the lines with β < 0 ever stop to fall?")}[letter]


def apart(answer):
    """Understand: the value of the game when the two distributions have nothing in common."""
    value = number(answer, "the value")
    if abs(value) < 1e-6:
        return "Zero is the most that D can get, and there G sees a flat top: the divergence is stuck at log 2."
    if close(value, -np.log(4), 1e-3):
        raise Mistake("That is the value when both distributions are equal.", "Here the divergence is not zero.")
    if close(value, np.log(2), 1e-3):
        raise Mistake("That is the Jensen–Shannon divergence, not yet the value.",
                      "Put it into V = -log 4 + 2 JSD.")
    if close(value, np.log(4), 1e-3):
        raise Mistake("That is twice the divergence; a part of the value is missing.", "Subtract log 4.")
    if value > 0:
        raise Mistake("V is a sum of two logarithms of probabilities, so it cannot be positive.",
                      "How large is log D at a picture where D = 1?")
    raise Mistake(f"{value:g} is not the value.", "D* is right about every picture. What is the logarithm of 1?")


def density(answer):
    """Derive: recover the data's density from the best discriminator."""
    p_data = np.array([0.05, 0.4, 0.9, 0.2])
    p_drawn = np.array([0.3, 0.4, 0.1, 0.6])
    best = p_data / (p_data + p_drawn)
    found = array(call(answer, best, p_drawn), p_data.shape, "the density")
    if close(found, p_data, 1e-6):
        return "The ratio of two densities, measured without knowing either: only samples were ever needed."
    if close(found, best / (1 - best), 1e-6):
        raise Mistake("That is the ratio of the two densities.", "Multiply it by the one that you know.")
    if close(found, p_drawn * (1 - best) / best, 1e-6):
        raise Mistake("The quotient stands on its head.", "Where D is large, the real density is the larger one.")
    if close(found, p_drawn * best, 1e-6):
        raise Mistake("D times p_G is too small: D is a share of both densities, not of p_G.",
                      "Solve D (p_data + p_G) = p_data for p_data.")
    raise Mistake("This is not the density of the data.",
                  "Solve D = p_data / (p_data + p_G) for p_data, on paper first.")


def cost(answer):
    """Repair: both losses of the generator from logits, finite for any of them."""
    for logits in (np.array([-2.0, 0.0, 0.5, 3.0]), np.array([-1000.0, -1.0, 1000.0])):
        log_one_minus, minus_log = -np.logaddexp(0, logits), np.logaddexp(0, -logits)
        right = {True: log_one_minus.mean(), False: minus_log.mean()}
        with np.errstate(all="ignore"):
            found = {saturating: _scalar(call(answer, logits, saturating), logits) for saturating in right}
        if close(found[True], right[True]) and close(found[False], right[False]):
            continue
        if close(found[True], right[False]) and close(found[False], right[True]):
            raise Mistake("The two losses are exchanged.", "The saturating one is log (1 - D).")
        if logits.max() > 100 and 0 < found[False] < 0.3 * right[False]:
            raise Mistake("The loss is finite now, and wrong: where D is nearly 0 it has become flat.",
                          "Neither add to D nor clip it. Use np.logaddexp(0, t), with t = logit or t = -logit.")
        if close(found[True], found[False]):
            raise Mistake("Both settings give the same number.",
                          "Let the argument saturating decide which loss comes back.")
        if close(found[True], -right[True]):
            raise Mistake("log (1 - D) has the wrong sign: the generator would run away from being taken for real.",
                          "It is a logarithm of a probability, so it cannot be positive.")
        if close(found[False], -right[False]):
            raise Mistake("-log D has the wrong sign.",
                          "It is minus the logarithm of a probability, so it is positive.")
        if close(found[True], logits.size * right[True]) or close(found[False], logits.size * right[False]):
            raise Mistake("This is the sum over the pictures.",
                          "Take the mean, so that the batch size does not matter.")
        raise Mistake("The numbers are not those of the two losses.",
                      "log (1 - D) = -log (1 + exp(logit)), and -log D = log (1 + exp(-logit)).")
    return "Stable for every logit. Deep-learning libraries call the pieces softplus, or cross-entropy from logits."


def _scalar(value, logits):
    if np.shape(value) == logits.shape:
        raise Mistake("This is one number for each picture.", "Take the mean over the batch.")
    if np.ndim(value) == 0 and np.isreal(value) and not np.isfinite(value):
        raise Mistake("For logits of ±1000 the loss is no finite number: somewhere D was rounded to 0 or 1.",
                      "Never compute D itself. Use np.logaddexp(0, t), with t = logit or t = -logit.")
    return number(value, "the loss")


def look_ahead(answer):
    """Stretch: the extragradient step in the bilinear game."""
    u, v, tau, steps = 1.0, -0.5, 0.3, 40
    found = array(call(answer, u, v, tau, steps), (2,), "the pair (u, v)")

    def run(step):
        place = u, v
        for _ in range(steps):
            place = step(*place)
        return place

    def extragradient(u, v):
        u_trial, v_trial = u + tau * v, v - tau * u
        return u + tau * v_trial, v - tau * u_trial

    def from_trial(u, v):
        u_trial, v_trial = u + tau * v, v - tau * u
        return u_trial + tau * v_trial, v_trial - tau * u_trial

    def alternate(u, v):
        v = v - tau * u
        return u + tau * v, v

    def half(u, v):
        new_u = u + tau * (v - tau * u)
        return new_u, v - tau * new_u

    if close(found, run(extragradient), 1e-6):
        return "It arrives, without any penalty. The price: two slopes for each step."
    if close(found, run(lambda u, v: (u + tau * v, v - tau * u)), 1e-6):
        raise Mistake("These are plain steps at once: the place runs away from the saddle.",
                      "The slopes must be those at the trial place.")
    if close(found, run(from_trial), 1e-6):
        raise Mistake("You stepped on from the trial place.",
                      "Go back to where you were, and use only the trial's slopes.")
    if close(found, run(alternate), 1e-6):
        raise Mistake("These are alternating steps: they circle for ever.",
                      "Compute both trial values before you change u or v.")
    if close(found, run(half), 1e-6):
        raise Mistake("The step of v uses the new u instead of the trial's.", "Change u and v in one assignment.")
    if close(found, extragradient(u, v), 1e-6):
        raise Mistake("This is the place after one step.", "Repeat the step as often as the argument steps says.")
    raise Mistake("This is not where looking ahead leads.",
                  "In one step: trial values from u and v, then new values from u and v plus the trial's slopes.")
