"""``{model-cards}``: every trained model as a readable card, made from the JSON file beside its weights."""

import hashlib
import json
import math
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from helpers import pretrained

log = logging.getLogger(__name__)

SETTINGS = {  # what the recipe's short names mean
    "batch": "examples in a step",
    "learning_rate": "highest learning rate",
    "warmup": "steps in which the learning rate rises",
    "final": "learning rate at the end, as a share of the highest",
    "epoch": "steps in which every example is seen once",
    "betas": "Adam's two rates of forgetting",
    "clipnorm": "longest gradient allowed",
    "ema": "share of the averaged weights kept in a step",
    "xla": "compiled with XLA",
    "record": "steps between two points of the loss curve",
    "look": "steps between two looks at the held-out data",
    "judged": "looked at by the classifier",
    "needs": "built on",
    "patch": "side of a patch in pixels",
    "r1": "weight of the R1 penalty",
    "sigma_max": "highest noise level",
    "strength": "strength of the deformations of digits",
    "deform": "strength of the deformations of digits that are marked as deformed",
    "drop": "share of the conditions that are left open",
    "color": "in colour",
    "start": "began with the weights of",
    "power": "exponent of the draw of noise levels: above 1 little noise is met more often",
    "pixels": "weight of the pixels' squared error",
    "features": "weight of the features' distance",
    "answers": "answers, of which the nearest counts",
    "adversarial": "weight of the discriminator",
    "levels": "levels of the numbers of a place",
    "swapped": "pairs of robots come with their colours exchanged, too",
    "mixed": "share of the drawn pictures that have two styles",
    "noise": "mean and standard deviation of ln σ, the logarithm of the noise level",
}
COLUMNS = {"value": "this model", "psnr": "PSNR (dB)", "readable": "read right", "untold": "this model, told nothing",
           "linear": "best linear", "gan": "the GAN"}


class ModelCards(SphinxDirective):
    """One section for each card, in the order of their names."""

    def run(self):
        folder = Path(self.config.model_cards)
        found = sorted(folder.glob("*.json"))
        self.env.metadata[self.env.docname]["model-cards"] = names(folder)
        sections = []
        for path in found:
            card = json.loads(path.read_text(encoding="utf-8"))
            weights = folder / card["weights"]
            self.env.note_dependency(str(path))
            self.env.note_dependency(str(weights))
            content = weights.read_bytes() if weights.is_file() else b""
            if hashlib.sha256(content).hexdigest() != card["sha256"]:
                log.warning("%s: %s is missing or altered", path.name, weights.name, location=self.get_location())
            section = nodes.section(names=[card["name"]])
            section += nodes.title("", "", nodes.literal("", card["name"]))
            self.state.document.note_implicit_target(section, section)
            section += self.parse_text_to_nodes(markdown(card, len(content)))
            sections.append(section)
        return sections


def names(folder):
    """Return the names of all cards in one string."""
    return " ".join(sorted(path.stem for path in Path(folder).glob("*.json")))


def pages_with_other_cards(app, env, added, changed, removed):
    """Name the pages to read again because a card was added or taken away."""
    now = names(app.config.model_cards)
    return [page for page, about in env.metadata.items() if about.get("model-cards", now) != now]


# ------------------------------------------------------------------------------------------ a card as Markdown


def markdown(card, size):
    """Return a card in Markdown, without its title; ``size`` is that of the weights file in bytes."""
    versions = ", ".join(f"{package} {version}" for package, version in card["versions"].items())
    facts = {
        "Trained on": card["data"],
        "Taken from": card.get("source"),  # a network that others trained
        "Licence": card.get("licence"),
        "Reproduce it": f"`{card['command']}`",
        "Size": f"{number(card['parameters'])} parameters, {size / 1e6:.2f} MB as float16 numbers",
        "Training": "minutes" in card and f"{_duration(card)} on {card['hardware']}, with {versions}",
        "Measured with": "minutes" not in card and versions,
        "Needs": _others(card.get("needs", {})),
        "Began with": _others(card.get("began with", {})),
        "File": f"`{card['weights']}`",
        "SHA-256": f'<code style="overflow-wrap: anywhere">{card["sha256"]}</code>',  # breaks on a phone
    }
    parts = [card["what"][:1].upper() + card["what"][1:] + ".",
             "\n".join(f"- **{name}:** {fact}" for name, fact in facts.items() if fact), *tables(card["metrics"])]
    return "\n\n".join(parts + (training(card) if "minutes" in card else []))


def training(card):
    """Return how a model was trained here: the loss curve and the settings, in a box to open."""
    recipe = {name: value for name, value in card["recipe"].items() if name not in ("what", "data", "options")}
    recipe |= card["recipe"].get("options", {})
    settings = [[SETTINGS.get(name, plain(name)), text(value)] for name, value in recipe.items()]
    looks = [f"- after {number(step)} steps: {text(look)}" for step, look in card["held out as it went"]]
    return [
        loss_curve(card),
        ":::{dropdown} How it was trained, setting by setting",
        table([["setting", "value"], *settings]),
        "On held-out data, as the training went:" if looks else "",
        "\n".join(looks),
        ":::",
    ]


def _others(models):
    return ", ".join(f"`{name}` `{sha256[:8]}…`" for name, sha256 in models.items())


def _duration(card):
    """Say how long a training took: by the clock, and what of it was work, since other programs may have run beside."""
    minutes = f"{number(card['minutes'])} minutes"
    if "processor minutes" not in card:
        return minutes
    return f"{minutes} by the clock, {number(card['processor minutes'])} minutes of work of its cores"


def tables(metrics):
    """Return the metrics as tables: neighbouring metrics with the same columns share one.

    A table with more columns than rows stands upright, so that none is wider than a phone.
    """
    rows = []
    for name, values in metrics.items():
        if all(isinstance(value, dict) for value in values.values()):  # several methods at one task
            rows += [[f"{name}: {COLUMNS.get(method, plain(method))}", scores] for method, scores in values.items()]
        else:
            rows.append([name, values])
    groups = []
    for name, scores in rows:
        header = ["measured", *(COLUMNS.get(key, plain(key)) for key in scores)]
        if not groups or groups[-1][0] != header:
            groups.append([header])
        groups[-1].append([name, *map(text, scores.values())])
    upright = [list(map(list, zip(*group, strict=True))) if len(group) < len(group[0]) else group
               for group in groups]
    return [table(group) for group in upright]


def table(rows):
    """Return rows, the first of which is the header, as a table in Markdown."""
    lines = ["| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def plain(name):
    return name.replace("_", " ")


def text(value):
    """Return a value of any type that JSON knows, as a reader likes to see it."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(text, value))
    if isinstance(value, dict):
        return ", ".join(f"{plain(name)} {text(part)}" for name, part in value.items())
    return str(value)


def number(value):
    """Return a number with four significant digits, and a whole number in full."""
    if isinstance(value, float) and math.isfinite(value) and abs(value) < 1000:
        shown = f"{value:.4g}"
    else:
        shown = f"{value:,.0f}" if math.isfinite(value) else str(value)
    return shown.replace("-", "−") if shown[0] == "-" else shown


# ------------------------------------------------------------------------------------------------- loss curve

WIDTH, HEIGHT = 640, 150


def loss_curve(card):
    """Return the loss curve as a small picture that takes the colours of the page, or nothing without points."""
    points = [point for point in card["loss"] if all(math.isfinite(value) for value in point)]
    if len(points) < 2:
        return ""
    steps, *losses = zip(*points, strict=True)
    logarithmic = min(min(loss) for loss in losses) > 0
    height = math.log10 if logarithmic else float
    low, high = (height(end(end(loss) for loss in losses)) for end in (min, max))
    lines = []
    for i, loss in enumerate(losses):
        path = " ".join(
            f"{WIDTH * (step - steps[0]) / (steps[-1] - steps[0]):.1f},"
            f"{4 + (HEIGHT - 8) * (high - height(value)) / ((high - low) or 1):.1f}"
            for step, value in zip(steps, loss, strict=True))
        lines.append(f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.5" '
                     f'stroke-opacity="{1 / (1 + i):.2f}"/>')
    ends = " and ".join(f"from {number(loss[0])} to {number(loss[-1])}" for loss in losses)
    says = f"Loss of the {card['name']} at steps {number(steps[0])} to {number(steps[-1])}: {ends}"
    axis = "a logarithmic" if logarithmic else "a linear"
    return "\n".join([
        "```{raw} html",
        f'<figure class="loss-curve"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{says}">',
        *lines,
        f"</svg><figcaption>{says}, on {axis} axis.</figcaption></figure>",
        "```",
    ])


def setup(app):
    app.add_config_value("model_cards", str(pretrained.FOLDER), "env")
    app.add_directive("model-cards", ModelCards)
    app.connect("env-get-outdated", pages_with_other_cards)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
