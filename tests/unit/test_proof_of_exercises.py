"""Is a wrong solution noticed, and a stub that is solved already? On a page of one exercise."""

import sys
from queue import Empty
from types import SimpleNamespace

import numpy as np
import pytest
from nbformat.v4 import new_code_cell
from nbval.plugin import IPyNbCell
from pluggy import Result

from helpers.exercises import waves
from helpers.exercises.answers import Mistake
from tests.exercises.proof import prove
from tests.notebooks import strict

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


# ------------------------------------------------------------------------------------- in the second run of a page


class Kernel:
    """A kernel in this process: its names are a dictionary, and its first message answers another question."""

    def __init__(self, hangs):
        self.names, self.hangs, self.interrupted = {"np": np}, hangs, False

    def execute_cell_input(self, source, allow_stdin):
        content = {"status": "ok"}
        try:
            exec(source, self.names)
        except AssertionError as error:
            content = {"status": "error", "ename": "AssertionError", "evalue": str(error)}
        self.messages = [{"parent_header": {"msg_id": "another"}, "content": {"status": "ok"}},
                         {"parent_header": {"msg_id": "asked"}, "content": content}]
        return "asked"

    def get_message(self, stream, timeout):
        if self.hangs:
            raise Empty
        return self.messages.pop(0)

    def interrupt(self):
        self.interrupted = True


@pytest.mark.parametrize(("wrong", "source", "tags", "hangs", "said"), [
    ("", 'check("waves.reduce", halve)', ["exercise"], False, None),
    (" * 1.01", 'check("waves.reduce", halve)', ["exercise"], False, "waves.reduce: AssertionError: .* Not right"),
    (" * 1.01", 'check("waves.reduce", halve)', [], False, None),
    ("", "halve", ["exercise"], False, "does not end in a check"),
    ("", 'check("waves.reduce", halve)', ["exercise"], True, "TimeoutError: not judged within 300 s"),
])
def test_the_second_run_judges_an_exercise_among_the_names_of_its_page(wrong, source, tags, hangs, said, tmp_path,
                                                                     monkeypatch):
    monkeypatch.setattr(strict.pages, "ROOT", tmp_path)
    monkeypatch.setattr(strict.executed, "FOLDER", tmp_path / "executed")
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "waves.md").write_text(PAGE.replace("STUB", "...").replace("[::2, ::2]", f"[::2, ::2]{wrong}"))
    cell = object.__new__(IPyNbCell)
    cell.cell, cell.path = new_code_cell(source, metadata={"tags": tags}), tmp_path / "executed/waves.ipynb"
    cell.parent = SimpleNamespace(kernel=Kernel(hangs))
    ran, outcome = strict.pytest_runtest_call(cell), Result.from_call(lambda: None)
    next(ran)
    with pytest.raises(StopIteration):
        ran.send(outcome)
    if said is None:
        outcome.get_result()
    else:
        with pytest.raises(AssertionError, match=said):
            outcome.get_result()
    assert cell.parent.kernel.interrupted == hangs
