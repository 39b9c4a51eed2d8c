"""Plausible wrong answers to the exercises of "Fill the holes in a depth map", each with a piece of its hint."""

import numpy as np


def depth(disparity, offset=31.086):
    return 994.978 * 0.193001 / (disparity + offset)


def carry(row):
    filled = row.copy()
    for i in range(1, len(row)):
        if np.isnan(filled[i]):
            filled[i] = filled[i - 1]
    return filled


def both(row):
    return carry(row), carry(row[::-1])[::-1]


def interpolate(row):
    known = np.isfinite(row)
    return np.interp(np.arange(len(row)), np.flatnonzero(known), row[known])


WRONG = {
    "one_pixel": [
        (depth(10) - depth(9), "sign"),
        (depth(9, 0) - depth(10, 0), "offset"),
        (1000 * (depth(9) - depth(10)), "another unit"),
        (depth(1), "difference of two depths"),
    ],
    "bad_share": [
        (lambda x, x_hat, tested, limit: np.sum(np.abs(x_hat - x)[tested] > limit) / tested.size, "right for free"),
        (lambda x, x_hat, tested, limit: (np.abs(x_hat - x)[tested] > limit).mean(), "first fault"),
        (lambda x, x_hat, tested, limit: 1 - (np.abs(x_hat - x)[tested & np.isfinite(x_hat)] <= limit).mean(),
         "left out of the test"),
        (lambda x, x_hat, tested, limit: ((x_hat - x)[tested] > limit).mean(), "absolute value"),
        (lambda x, x_hat, tested, limit: (np.abs(x_hat - x)[tested] > limit).sum(), "not a share"),
        (lambda x, x_hat, tested, limit: 1 - (np.abs(x_hat - x)[tested] <= 2).mean(), "always two"),
        (lambda x, x_hat, tested, limit: (np.abs(x_hat - x)[tested] <= limit).mean(), "good pixels"),
        (lambda x, x_hat, tested, limit: 100 - 100 * (np.abs(x_hat - x)[tested] <= limit).mean(), "percentage"),
    ],
    "background": [
        (lambda row: np.fmax(*both(row)), "larger disparity"),
        (lambda row: np.minimum(*both(row)), "ends of the row"),
        (interpolate, "linear interpolation"),
        (lambda row: np.nan_to_num(np.fmin(*both(row)) * 0 + np.nanmin(row)), "Known pixels"),
    ],
}
