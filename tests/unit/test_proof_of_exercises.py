"""Is a wrong solution noticed, and a stub that is solved already? On a page of one exercise."""

import pytest

from helpers.exercises import waves
from helpers.exercises.answers import Mistake
from tests.exercises.proof import prove

PAGE = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3}
---
:::{exercise} Change: halve
:label: waves-reduce
:::

```{code-cell} ipython3
def halve(x):
    STUB

check("waves.reduce", halve)
```

:::{solution} waves-reduce
:class: dropdown

```python
def halve(x):
    slow = [abs(np.fft.fftfreq(side)) < 0.25 for side in x.shape]
    X = np.fft.fft2(x) * np.outer(*slow)
    return np.fft.ifft2(X).real[::2, ::2]
```
:::
"""


@pytest.fixture
def prove_page(tmp_path):
    def proved(stub="...", wrong=""):
        import numpy as np

        page = tmp_path / "waves.md"
        page.write_text(PAGE.replace("STUB", stub).replace("[::2, ::2]", f"[::2, ::2]{wrong}"))
        names = {"np": np, "halve": "as the page left it"}
        prove(page, "waves.reduce", names)
        return names

    return proved


def test_the_solution_is_proved_and_leaves_no_trace(prove_page):
    assert prove_page()["halve"] == "as the page left it"


def test_a_wrong_solution_is_noticed(prove_page):
    with pytest.raises(AssertionError, match=r"waves.reduce: ✗ Not right"):
        prove_page(wrong=" * 1.01")


def test_a_check_that_accepts_a_near_miss_is_noticed(prove_page, monkeypatch):
    def lenient(answer, real=waves.reduce):
        try:
            return real(answer)
        except Mistake:
            return "fine"

    lenient.__module__ = waves.__name__
    monkeypatch.setattr(waves, "reduce", lenient)
    with pytest.raises(AssertionError, match="is right though it"):
        prove_page()


def test_a_stub_that_answers_is_noticed(prove_page):
    with pytest.raises(AssertionError, match=r"waves.reduce: ✗"):
        prove_page(stub="return x[::2, ::2]")
