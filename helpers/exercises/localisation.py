"""Exercises of the page "Find yourself in a damaged picture"."""

import functools
import math

import numpy as np
from skimage.feature import ORB, match_descriptors
from skimage.transform import SimilarityTransform, warp

from helpers.exercises.answers import Mistake, array, call, number, pair
from helpers.images import photo
from helpers.operators import Identity, measure

NOISE = 30 / 255  # of the views in the project


def trials(answer):
    """Derive: how many random samples does RANSAC need?"""
    for share, sample, confidence in [(0.5, 2, 0.99), (0.3, 4, 0.95), (0.8, 2, 0.999)]:
        exact = math.log(1 - confidence) / math.log(1 - share**sample)
        count = number(call(answer, share, sample, confidence), "the number of trials")
        if count == math.ceil(exact):
            continue
        given = f"For a share of {share}, samples of {sample} and a confidence of {confidence}"
        if count == math.ceil(math.log(confidence) / math.log(1 - share**sample)):
            raise Mistake(f"{given}, {count:g} trials make sure of failure, not of success.",
                          "All trials *fail* with probability 1 - confidence.")
        if count == math.ceil(math.log(1 - confidence) / math.log(1 - share)):
            raise Mistake(f"{given}, {count:g} trials would do if one right match were enough.",
                          "All matches of the sample must be right: share to the power of sample.")
        if count == math.ceil(math.log(1 - confidence) / math.log(1 - (1 - share) ** sample)):
            raise Mistake(f"{given}, your formula counts samples in which every match is wrong.",
                          "`share` is the share of *right* matches: what does it give to the power of sample?")
        if abs(count - exact) < 1:
            raise Mistake(f"{given}, {count:g} is the right size, but not rounded up.",
                          "Rounding down or to the nearest stops too early: use np.ceil.")
        raise Mistake(f"{given}, {math.ceil(exact)} trials are needed, not {count:g}.",
                      "Solve (1 - share**sample)**N = 1 - confidence for N.")
    return ("Half right and two at a time: 17 trials are enough for 99 percent. "
            "With few right matches and a large sample the number explodes.")


def clear(answer):
    """Change: Lowe's ratio test."""
    rng = np.random.default_rng(3)
    distances = rng.integers(20, 120, (40, 55)).astype(np.float64)
    ratio = 0.9
    ordered = np.sort(distances, axis=1)
    expected = ordered[:, 0] < ratio * ordered[:, 1]
    value = np.asarray(call(answer, distances, ratio))
    if value.shape == (55,):
        raise Mistake("One answer came for each keypoint of the map.",
                      "One is wanted for each keypoint of the view: sort along axis=1, each row by itself.")
    kept = array(value, (40,), "the answer") != 0
    if np.array_equal(kept, expected):
        return ("An answer that has no rival is worth more than an answer that is near. "
                "Lowe found that a ratio of 0.8 removes most wrong matches and few right ones.")
    if np.array_equal(kept, ~expected):
        raise Mistake("Exactly the unclear matches are kept.",
                      "Clear means: the first is *less* than ratio times the second.")
    if np.array_equal(kept, ratio * ordered[:, 0] < ordered[:, 1]) or kept.all():
        raise Mistake("Nearly every match passes, so this tests nothing.",
                      "The ratio belongs to the second smallest distance, not to the smallest.")
    if np.array_equal(kept, ordered[:, 0] < ratio * ordered[:, -1]):
        raise Mistake("The nearest is compared with the farthest.",
                      "Its rival is the second smallest: column 1 after sorting.")
    if np.array_equal(kept, distances[:, 0] < ratio * distances[:, 1]):
        raise Mistake("The first two columns are compared as they came.",
                      "Sort each row first: np.sort(distances, axis=1).")
    raise Mistake(f"{int((kept != expected).sum())} of 40 keypoints are judged wrongly.",
                  "Sort each row; compare column 0 with ratio times column 1.")


def shift(answer):
    """Stretch: RANSAC for a translation."""
    rng = np.random.default_rng(11)
    p = rng.uniform(0, 300, 90) + 1j * rng.uniform(0, 300, 90)
    b = 40 - 25j
    q = p + b + rng.normal(0, 0.3, 90) + 1j * rng.normal(0, 0.3, 90)
    wrong = rng.permutation(90)[:55]
    q[wrong] += rng.uniform(20, 260, 55) + 1j * rng.uniform(20, 260, 55)
    value = np.asarray(call(answer, p, q, np.random.default_rng(0)))
    if value.ndim or value.dtype.kind not in "iufc" or not np.isfinite(value):
        raise Mistake(f"One complex number is wanted, but a {type(value[()]).__name__} of shape {value.shape} came.",
                      "Return the shift b alone, without the inliers.")
    found = complex(value)
    shifts = q - p
    if abs(found - b) < 0.5:
        return ("55 of 90 matches were wrong, and you were off by less than half a pixel. "
                "One match decides a candidate, so even few right ones are found fast.")
    if abs(found + b) < 0.5:
        raise Mistake("The size is right, but the shift points backwards.", "q = p + b, so b is q minus p.")
    if abs(found - shifts.mean()) < 0.01:
        raise Mistake("This is the mean over all matches, and more than half of them are wrong.",
                      "Count who agrees with a candidate, then average over the crowd only.")
    medians = np.median(shifts.real) + 1j * np.median(shifts.imag), np.median(shifts)
    if min(abs(found - median) for median in medians) < 0.01:
        raise Mistake("The median survives wrong matches only while they are fewer than half.",
                      "Here 55 of 90 are wrong: look for agreement, not for the middle.")
    if np.abs(shifts - found).min() < 1e-6:
        raise Mistake("This is the shift of a single match, and not one of the right ones.",
                      "Keep the candidate with the *largest* number of matches within two pixels.")
    raise Mistake(f"The shift is off by {abs(found - b):.1f} pixels.",
                  "Try each match as a candidate, count the others within two pixels, and keep the largest crowd.")


def project(answer):
    """Project: a restoration that helps a localiser, on scenes that were not practised."""
    restore, claim = pair(answer, "your function and its six gains")
    claim = array(claim, (3, 2), "the claim")
    measured = np.array([_gains(restore, name, (0, 1)) for name in ("rocket", "coffee", "astronaut")])
    if np.abs(claim - measured[..., 1]).max() > 3:
        if np.abs(claim - measured[..., 0]).max() <= 3:
            raise Mistake("These are gains over the noisy view.",
                          "The baseline is denoise_tv_chambolle(noisy, weight=sigma): subtract its inliers.")
        i, j = np.unravel_index(np.abs(claim - measured[..., 1]).argmax(), (3, 2))
        raise Mistake(f"The claim is not what your function does: on scene {i + 1} with seed {j} we measure "
                      f"{measured[i, j, 1]:+.0f} inliers against the baseline, and {claim[i, j]:+.0f} were claimed.",
                      "Run all six again with the function that you hand over.")
    new = np.array([_gains(restore, name, (10, 11)) for name in ("cat", "camera", "motorcycle")])
    told = ", ".join(f"{name} {gain:+.0f}" for name, gain in
                     zip(("cat", "camera", "motorcycle"), new[..., 1].mean(axis=1), strict=True))
    if new[..., 0].mean() <= 0:
        raise Mistake(f"On scenes that you have not practised on, the noisy views themselves have more inliers: "
                      f"your method changes their number by {new[..., 0].mean():+.0f} on average.",
                      "Was it tuned to the practice scenes? Try a method with fewer choices.")
    if new[..., 1].mean() <= 0:
        return (f"The claim holds for the practice scenes. On new ones your method helps, and not more than the "
                f"baseline does ({told} inliers). Write that into the report: it is a finding.")
    return f"The claim holds, and on new scenes your method leads the baseline: {told} inliers."


def _gains(restore, name, seeds):
    """Return the gains in inliers over the noisy view and over total variation, one pair for each seed."""
    gains = []
    for seed in seeds:
        noisy, features, others = _reference(name, seed)
        restored = array(call(restore, noisy, NOISE), noisy.shape, "the restored view")
        ours = _inliers(_detect(restored), features)
        gains.append([ours - other for other in others])
    return gains


@functools.cache
def _reference(name, seed):
    """Return a noisy view, the features of its map, and the inliers of two who did not practise."""
    from skimage.restoration import denoise_tv_chambolle

    scene = photo(name, size=400)
    place = SimilarityTransform(scale=0.8, rotation=np.deg2rad(20), translation=(130, 110))
    view, features = np.clip(warp(scene, place, output_shape=(256, 256), order=3), 0, 1), _detect(scene)
    noisy = measure(view, Identity(), NOISE, np.random.default_rng(seed))
    usual = denoise_tv_chambolle(noisy, weight=NOISE)
    return noisy, features, [_inliers(_detect(picture), features) for picture in (noisy, usual)]


def _detect(picture):
    orb = ORB(n_keypoints=500)
    try:
        orb.detect_and_extract(np.clip(picture, 0, 1))
    except RuntimeError:  # not one keypoint
        return np.zeros(0, complex), np.zeros((0, 256), bool)
    return orb.keypoints @ np.array([1j, 1]), orb.descriptors


def _inliers(features, map_features):
    """Return how many matches agree, by the page's own RANSAC."""
    (points, bits), (map_points, map_bits) = features, map_features
    if len(points) < 2:
        return 0
    pairs = match_descriptors(bits, map_bits, cross_check=True)
    p, q = points[pairs[:, 0]], map_points[pairs[:, 1]]
    rng, most = np.random.default_rng(0), 0
    for _ in range(500 if len(p) > 1 else 0):
        i, j = rng.choice(len(p), 2, replace=False)
        if p[i] == p[j]:
            continue
        a = (q[i] - q[j]) / (p[i] - p[j])
        if 0.5 < abs(a) < 2:
            most = max(most, int((np.abs(a * (p - p[i]) + q[i] - q) < 2).sum()))
    return most
