"""A quiz question becomes radio buttons, and one that cannot be asked is refused by page, question and fault."""


import pytest
from bs4 import BeautifulSoup

from tests import pages, small_site

GOOD = """# Quiz

````{admonition} Half the noise
:class: quiz
:name: quiz-half

Pure noise has a PSNR of $-20 \\log_{10} \\sigma$.

The level $\\sigma$ halves. By how much does the PSNR rise?

1. By 3 dB.
2. By *6 dB*.
3. It halves.

```{admonition} Answers
:class: dropdown

1. **No.** That would be half the *squared* error: see [the start](index.md).
2. **Right.** The squared error falls to a quarter.

   And ten times the logarithm of four is about six.
3. **No.** Decibels are a logarithm: they add where errors multiply.
```
````
"""
BAD = {
    "no right choice": ("2. **Right.**", "2. **No.**", "no right choice instead of one"),
    "two right choices": ("1. **No.**", "1. **Right.**", "2 right choices instead of one"),
    "an answer is missing": ("3. **No.** Decibels are a logarithm: they add where errors multiply.", "",
                             "3 choices and 2 answers: each choice needs its explanation"),
    "a choice is missing": ("3. It halves.\n", "", "2 choices and 3 answers"),
    "a verdict without a reason": ("**No.** Decibels are a logarithm: they add where errors multiply.", "**No.**",
                                   "answer 3 gives no reason"),
    "a reason without a verdict": ("3. **No.** Decibels", "3. Decibels", "answer 3 must begin with **Right.** or"),
    "another verdict": ("3. **No.**", "3. **Nearly.**", "answer 3 must begin with **Right.** or **No.**"),
    "a verdict that comes late": ("3. **No.** Decibels", "3. Well: **No.** Decibels", "answer 3 must begin with"),
    "no name": (":name: quiz-half\n", "", "needs a name"),
    "no answers": (":class: dropdown", ":class: note", "must end in an admonition of the class “dropdown”"),
    "no choices": ("1. By 3 dB.\n2. By *6 dB*.\n3. It halves.\n", "", "needs a numbered list of choices"),
    "no words before the choices": ("Pure noise has a PSNR of $-20 \\log_{10} \\sigma$.\n\nThe level $\\sigma$ halves. "
                                    "By how much does the PSNR rise?\n", "", "needs a paragraph that asks"),
    "a choice of two paragraphs": ("3. It halves.\n", "3. It halves.\n\n   Twice.\n", "choice 3 must be a single para"),
    "bullets for numbers": ("1. By 3 dB.\n2. By *6 dB*.\n3. It halves.\n", "- By 3 dB.\n- By *6 dB*.\n- It halves.\n",
                            "needs a numbered list of choices"),
}


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that builds a page and returns its HTML."""
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    source = small_site.write(tmp_path, {})
    settings = {"extensions": ["myst_parser", "quiz"], "myst_enable_extensions": ["colon_fence", "dollarmath"]}

    def run(text, builder="html"):
        (source / "index.md").write_text(text, encoding="utf-8")
        _, warnings = small_site.build(tmp_path, settings, builder)
        assert not warnings
        return next((tmp_path / builder).glob("index.*")).read_text(encoding="utf-8")

    return run


def test_a_question(build):
    soup = BeautifulSoup(build(GOOD), "html.parser").find(class_="quiz")
    assert soup["id"] == "quiz-half"
    assert soup.find(class_="quiz-title").get_text() == "Question 1: Half the noise"
    assert soup.fieldset.legend.get_text().startswith("The level") and "Pure noise" not in soup.fieldset.get_text()
    radios = soup.find_all("input")
    assert [one["data-verdict"] for one in radios] == ["wrong", "right", "wrong"]
    assert {one["name"] for one in radios} == {"quiz-half"} and not any(one.has_attr("checked") for one in radios)
    for radio in radios:
        label, why = radio.find_next_siblings()
        assert label["for"] == radio["id"] and label.get_text()
        assert why.get_text().strip().startswith("Right." if radio["data-verdict"] == "right" else "No.")
    assert soup.find("a", class_="reference") and soup.find("em") and len(soup.select(".quiz-right p")) == 2
    assert len({tag["id"] for tag in soup.find_all(id=True)}) == len(soup.find_all(id=True))


def test_questions_are_numbered(build):
    html = build(GOOD + GOOD.split("\n", 1)[1].replace("quiz-half", "quiz-twice"))
    titles = [one.get_text() for one in BeautifulSoup(html, "html.parser").find_all(class_="quiz-title")]
    assert titles == ["Question 1: Half the noise", "Question 2: Half the noise"]


def test_other_formats_show_the_words(build):
    text = build(GOOD, "text")
    assert "By 3 dB." in text and "falls to a quarter" in text


def test_another_admonition_is_left_alone(build):
    html = build(GOOD.replace(":class: quiz", ":class: tip").replace("**No.**", "**Never.**"))
    assert "<fieldset" not in html and 'type="radio"' not in html


@pytest.mark.parametrize("fault", BAD)
def test_bad_source_is_refused(build, fault):
    old, new, expected = BAD[fault]
    assert old in GOOD
    source = GOOD.replace(old, new, 1)
    with pytest.raises(Exception, match="index, question 1 “Half the noise”: ") as refusal:
        build(source)
    assert refusal.typename == "QuizError" and expected in str(refusal.value)


def test_two_choices_are_too_few(build):
    with pytest.raises(Exception, match="a question needs three or more"):
        build(GOOD.replace("3. It halves.\n", "").replace(BAD["an answer is missing"][0], ""))


def test_all_faults_of_a_page_are_named_at_once(build):
    bad = GOOD.replace("2. **Right.**", "2. **No.**")
    with pytest.raises(Exception, match=r"question 1 .*\n.*question 2 "):
        build(bad + bad.split("\n", 1)[1].replace("quiz-half", "quiz-twice"))
