"""Quiz questions: an admonition with the class ``quiz`` becomes radio buttons that explain each choice.

The source is a plain admonition with two numbered lists, so that JupyterLab shows it as it stands::

    ````{admonition} Half the noise
    :class: quiz
    :name: quiz-half-the-noise

    The noise level halves. What happens to the PSNR?

    1. It rises by 3 dB.
    2. It rises by 6 dB.
    3. It doubles.

    ```{admonition} Answers
    :class: dropdown

    1. **No.** That would be half the *squared* error.
    2. **Right.** The squared error falls to a quarter.
    3. **No.** Decibels are a logarithm.
    ```
    ````

Fences of colons would do as well for the book, but Jupytext takes a page with colons and without a header for Pandoc's
Markdown, and JupyterLab then refuses to open it.

The last paragraph before the choices is the question; what stands before it sets the scene. Nothing here needs
JavaScript: the style sheet shows an explanation when its choice is taken. ``progress.js`` only remembers.
"""

from docutils import nodes
from pages import boxes
from sphinx.errors import SphinxError
from sphinx.transforms import SphinxTransform

VERDICTS = {"Right.": "right", "No.": "wrong"}


class QuizError(SphinxError):
    """A question that cannot be asked."""

    category = "Quiz error"


class Tag(nodes.General, nodes.Element):
    """An HTML element; other formats show what is in it."""


class Question(Tag):
    """The outermost element of a question: its ``label`` and ``title`` are for the page of progress."""


class QuizQuestions(SphinxTransform):
    """Turn the quiz admonitions of a page into questions, or refuse the page with all its faults."""

    default_priority = 400

    def apply(self, **kwargs):
        faults = []
        found = boxes(self.document, "quiz")
        for number, admonition in enumerate(found, start=1):
            try:
                admonition.replace_self(question(admonition, number))
            except ValueError as fault:
                title = admonition.next_node(nodes.title)
                faults.append(f"{self.env.docname}, question {number} “{title.astext()}”: {fault}")
        if faults:
            raise QuizError("\n".join(faults))


def question(admonition, number):
    """Return a question in HTML, or raise ValueError with what its source lacks."""
    if not admonition["names"] or not admonition["ids"]:
        raise ValueError("needs a name of its own (:name:), by which a browser remembers it")
    title, *scene = admonition.children
    if not scene or not is_answers(scene[-1]):
        raise ValueError("must end in an admonition of the class “dropdown” with the answers")
    *scene, answers = scene
    choices = scene.pop() if scene else None
    if not isinstance(choices, nodes.enumerated_list):
        raise ValueError("needs a numbered list of choices just before its answers")
    asks = scene.pop() if scene else None
    if not isinstance(asks, nodes.paragraph):
        raise ValueError("needs a paragraph that asks, just before its choices")
    explanations = explained(answers, len(choices))
    label = admonition["ids"][0]
    box = Question("", tag="div", label=label, title=title.astext(), classes=["quiz"], ids=admonition["ids"],
                   names=admonition["names"])
    head = Tag("", nodes.Text(f"Question {number}: "), *title.children, tag="p", classes=["quiz-title"])
    fieldset = Tag("", Tag("", *asks.children, tag="legend"), tag="fieldset")
    for index, (choice, (verdict, why)) in enumerate(zip(choices, explanations, strict=True), start=1):
        if len(choice) != 1 or not isinstance(choice[0], nodes.paragraph):
            raise ValueError(f"choice {index} must be a single paragraph")
        place = f"{label}-{index}"
        radio = {"type": "radio", "name": label, "value": str(index), "autocomplete": "off", "data-verdict": verdict}
        fieldset += Tag(
            "", Tag("", tag="input", html=radio, ids=[place]),
            Tag("", *choice[0].children, tag="label", html={"for": place}),
            Tag("", *why, tag="div", classes=["quiz-why", f"quiz-{verdict}"]), tag="div", classes=["quiz-choice"])
    box += [head, *scene, fieldset]
    return box


def is_answers(node):
    return isinstance(node, nodes.Admonition) and "dropdown" in node["classes"]


def explained(answers, count):
    """Return verdict and paragraphs of every answer."""
    lists = [node for node in answers.children if isinstance(node, nodes.enumerated_list)]
    if len(lists) != 1:
        raise ValueError("the answers must be one numbered list")
    found = []
    for index, item in enumerate(lists[0], start=1):
        lead = item.next_node(nodes.strong)
        verdict = VERDICTS.get(lead.astext()) if lead is not None and item.astext().startswith(lead.astext()) else None
        if verdict is None:
            raise ValueError(f"answer {index} must begin with **Right.** or **No.**")
        if item.astext().strip() in VERDICTS:
            raise ValueError(f"answer {index} gives no reason")
        found.append((verdict, item.children))
    if len(found) != count:
        raise ValueError(f"has {count} choices and {len(found)} answers: each choice needs its explanation")
    right = sum(verdict == "right" for verdict, _ in found)
    if right != 1:
        raise ValueError(f"has {right or 'no'} right choice{'s' * (right > 1)} instead of one")
    if count < 3:
        raise ValueError(f"has {count} choices: a question needs three or more")
    return found


def visit_html(self, node):
    self.body.append(self.starttag(node, node["tag"], "", node["tag"] == "input", **node.get("html", {})))


def depart_html(self, node):
    if node["tag"] != "input":
        self.body.append(f"</{node['tag']}>\n")


def ignore(self, node):
    """Other formats show the parts one after the other."""


def setup(app):
    for kind in (Tag, Question):
        app.add_node(kind, html=(visit_html, depart_html), latex=(ignore, ignore), text=(ignore, ignore))
    app.add_transform(QuizQuestions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
