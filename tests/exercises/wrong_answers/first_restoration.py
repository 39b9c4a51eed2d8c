"""Plausible wrong answers to the exercises of "Restore your first photograph", each with a piece of its hint."""

import numpy as np

WRONG = {
    "halving": [
        (10 * np.log10(2), "its square"),
        (-6.02, "sign"),
        (2.0, "not two decibels"),
    ],
    "clipping": [
        ("a", "no noise away"),
        ("c", "never negative"),
    ],
    "best_width": [
        (0.4, "wider"),
        (2.5, "narrower"),
        (0.805, "wider"),  # 0.03 dB under the best: the border is at 0.02
        (0.92, "narrower"),
        (-1, "positive"),
    ],
    "blend": [
        (lambda first, second, share: (1 - share) * first + share * second, "other way round"),
        (lambda first, second, share: share * first + second, "sum to one"),
        (lambda first, second, share: (first + second) / 2, "plain average"),
    ],
}
