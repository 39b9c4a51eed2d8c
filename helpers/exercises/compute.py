"""Exercises of the page "Count the cost"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def doubled(answer):
    """Understand: what do doubled widths cost?"""
    factor = number(answer, "the factor")
    if close(factor, 4, 0.01):
        return "Channels come in and channels go out: width costs its square."
    if close(factor, 2, 0.01):
        raise Mistake("That holds for the first and the last layer only.",
                      "Between two hidden layers both C and D double.")
    if close(factor, 8, 0.01) or close(factor, 16, 0.01):
        raise Mistake("The places P and the side h of the kernels stay as they are.",
                      "Only the channels double: C and D.")
    if close(factor, 1, 0.01):
        raise Mistake("The count has the channels in it, so it cannot stay.", "Put 2C and 2D into the formula.")
    raise Mistake(f"{factor:g} is not the factor.", "Put 2C and 2D into P h² C D, and divide by P h² C D.")


def pruned(answer):
    """Understand: is a pruned network faster?"""
    picked = choice(answer, "abc")
    if picked == "c":
        return "Zeros are for free only where a program never meets them."
    if picked == "a":
        raise Mistake("The products are still there: their value has changed, not their number.",
                      "Who would tell the loop to leave a product out?")
    raise Mistake("That describes another way of storing, the non-zeros with their places.",
                  "Here the arrays are whole, zeros and all.")


def separable(answer):
    """Derive: count a depthwise separable convolution."""
    cases = [(100, 3, 8, 16), (49, 5, 6, 4)]
    found = [number(call(answer, *case), "the count") for case in cases]

    def agrees(formula):
        return close(found, [formula(*case) for case in cases], 1e-6)

    if agrees(lambda P, h, C, D: P * h**2 * C + P * C * D):
        return "For 3 × 3 kernels and many channels it is about a ninth of an ordinary convolution."
    if agrees(lambda P, h, C, D: P * h**2 * C * D):
        raise Mistake("This is an ordinary convolution.", "In the first step each channel is convolved alone: no D.")
    if agrees(lambda P, h, C, D: P * h**2 * C):
        raise Mistake("The second step is missing, which mixes the channels.", "A 1 × 1 convolution costs P C D.")
    if agrees(lambda P, h, C, D: P * C * D):
        raise Mistake("The first step is missing, which looks at the neighbours.", "One h × h kernel for each channel.")
    if agrees(lambda P, h, C, D: P * h**2 * C * P * C * D):
        raise Mistake("The steps are done one after the other, so their counts add up.", "Put a + between them.")
    if agrees(lambda P, h, C, D: P * h * C + P * C * D):
        raise Mistake("A kernel of side h has h × h weights.", "Square h in the first step.")
    if agrees(lambda P, h, C, D: P * h**2 * C * C + P * C * D):
        raise Mistake("In your first step each channel looks at all C channels.", "It looks at itself alone.")
    if agrees(lambda P, h, C, D: P * h**2 + P * C * D):
        raise Mistake("Your first step convolves one channel, and there are C.", "Multiply it by C.")
    raise Mistake("This is not the count of the two steps.", "P places × h² weights × C channels, and then P C D.")


def exponent(answer):
    """Change: fit the slope of a log-log line."""
    N = np.array([64.0, 256.0, 1024.0, 4096.0])
    seconds = 3e-6 * N**1.5 * np.array([1.1, 0.95, 1.0, 1.05])
    slope, constant = np.polyfit(np.log(N), np.log(seconds), 1)
    value = call(answer, N, seconds)
    if np.shape(value) == (2,):
        raise Mistake("These are two numbers, slope and constant.", "The slope stands first.")
    found = number(value, "the exponent")
    if close(found, slope, 1e-6):
        return "The slope is the exponent, and no unit of time or length changes it."
    if close(found, constant, 1e-6):
        raise Mistake("That is the constant, log c.", "np.polyfit gives the highest power first: take entry 0.")
    if close(found, np.polyfit(np.log(seconds), np.log(N), 1)[0], 1e-6):
        raise Mistake("The axes are exchanged: this tells how N grows with time.", "N goes first.")
    if close(found, np.polyfit(N, seconds, 1)[0], 1e-6):
        raise Mistake("This is a slope on ordinary axes: seconds for each pixel.", "Take logarithms of both.")
    if close(found, np.polyfit(np.log(N), seconds, 1)[0], 1e-6):
        raise Mistake("Only N has its logarithm taken.", "Take that of the seconds too.")
    if close(found, np.polyfit(N, np.log(seconds), 1)[0], 1e-6):
        raise Mistake("Only the seconds have their logarithm taken.", "Take that of N too.")
    ends = np.log(seconds[-1] / seconds[0]) / np.log(N[-1] / N[0])
    if close(found, ends, 1e-6):
        raise Mistake("This slope joins the first point and the last, and leaves out what lies between.",
                      "np.polyfit uses all points.")
    raise Mistake(f"{found:.3g} is not the slope.", "np.polyfit(np.log(N), np.log(seconds), 1) and its first entry.")


def quantise(answer):
    """Stretch: round a kernel to whole numbers of 8 bits, with a step for each output channel."""
    w = np.random.default_rng(0).standard_normal((3, 3, 4, 5)) * np.array([0.01, 0.1, 1.0, 3.0, 10.0])
    largest = np.abs(w).max(axis=(0, 1, 2))
    step = largest / 127
    found = array(call(answer, w), w.shape, "the kernel")
    shares = found / step

    def agrees(expected):
        return close(shares, expected / step, 1e-6)

    if agrees(np.round(w / step) * step):
        return "A byte for each weight and one step for each channel: a quarter of the file in float32."
    if agrees(np.round(w / step)):
        raise Mistake("These are the whole numbers, without their step.", "Multiply by the step again.")
    if agrees(np.round(w / (np.abs(w).max() / 127)) * np.abs(w).max() / 127):
        raise Mistake("The whole kernel shares one step, so small channels lose nearly everything.",
                      "Take the maximum over the first three axes alone.")
    by_input = np.abs(w).max(axis=(0, 1, 3), keepdims=True) / 127
    if agrees(np.round(w / by_input) * by_input):
        raise Mistake("Each channel that comes in has its own step, and each that goes out should.",
                      "The last axis counts the channels that go out.")
    if agrees(np.trunc(w / step) * step) or agrees(np.floor(w / step) * step):
        raise Mistake("The fractions are cut off, which errs up to a whole step.", "np.round errs half a step at most.")
    signed = w.max(axis=(0, 1, 2)) / 127
    if agrees(np.round(w / signed) * signed):
        raise Mistake("Your step comes from the largest weight, and a negative one may be larger in size.",
                      "Take np.abs first.")
    for levels in (128, 255, 256):
        if agrees(np.round(w / (largest / levels)) * (largest / levels)):
            raise Mistake(f"Your step is the largest size divided by {levels}.",
                          "From -127 to 127 fits into 8 bits: divide by 127.")
    if close(found, w, 1e-9):
        raise Mistake("This is the kernel as it came.", "np.round stands between the division and the product.")
    raise Mistake("These are not the rounded weights.",
                  "step = largest size of the channel / 127, then round w / step.")
