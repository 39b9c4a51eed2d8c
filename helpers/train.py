"""``python -m helpers train NAME``: run a recipe to the end, then write its weights and model card."""

import math
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

from helpers import pretrained, recipes, validation
from helpers.files import make_folder
from helpers.images import cache_folder

OTHER = Path("weights")  # where a training writes that is not the recipe's: never over the weights that are shipped


def train(name, photos=None, epochs=None, minutes=None, strategy=None, folder=None, progress=True, precision=None):
    """Train one model and write its weights and card; return True, or False if Ctrl-C stopped it before the end.

    With the variable ``TF_CONFIG``, several machines share each batch (``helpers.training.machines``): the same call on
    each of them, of which the chief alone writes files.

    Parameters
    ----------
    name : str
        A key of ``RECIPES``.
    photos : path, optional
        Folder of pictures for a model of photographs; by default the pictures that the course ships. Each is read when
        it is needed (``helpers.images.folder``); of several machines every one needs the folder.
    epochs, minutes : float, optional
        A shorter training, with its learning rates compressed to fit.
    strategy : int, optional
        Number of devices to share each batch.
    folder : path, optional
        Where weights and card go: by default ``helpers/weights``, or ``weights`` for a training that is not the
        recipe's.
    precision : str, optional
        "float32" or "mixed_bfloat16" instead of the recipe's. Processors without instructions for bfloat16 imitate it,
        and take several times as long as for float32.
    """
    recipe = recipes.recipe(name)
    if precision is not None:
        recipe = recipe._replace(precision=validation.choice(precision, "precision", recipes.PRECISIONS))
    other = epochs is not None or minutes is not None or recipe != recipes.recipe(name)
    folder = Path(folder or (OTHER if other else pretrained.FOLDER))
    joined = bool(os.environ.get("TF_CONFIG", "").strip())
    if not joined:  # or else it is the chief's business
        make_folder(folder)  # one that cannot be written to is told at once
    else:
        for option, value in (("minutes", minutes), ("strategy", strategy)):
            if value is not None:
                raise ValueError(f"{option}: not with TF_CONFIG, by which several machines train"
                                 + ("; they would count different numbers of steps: say --epochs"
                                    if option == "minutes" else ""))
    pictures, source = None, "shipped"
    if photos is not None:
        if "patch" not in recipe.options:
            raise ValueError(f"photos: {name} is not trained on photographs")
        from helpers.images.folder import Photographs

        pictures = Photographs(photos, recipe.options["patch"], recipe.options.get("color", False))
        source = f"{Path(photos).name}-{pictures.fingerprint()}"
    import helpers.models  # noqa: F401 - keeps TensorFlow quiet
    from helpers.training import PARTS, Loop, devices, machines, planned_steps

    if strategy is not None:
        strategy = devices(validation.integer(strategy, "strategy", low=1))
    parts = 1
    if strategy is None:
        strategy = machines()
        parts = 1 if strategy is None else math.gcd(recipe.batch, PARTS)
    training = recipe.module().Training
    arguments, needed = _others(recipe, folder)
    if pictures is not None:
        arguments["pictures"] = pictures

    def make():
        return Loop(lambda: training(recipe, **arguments), recipe, strategy, parts)

    length = "" if recipe == recipes.recipe(name) else f"-{precision}"
    if epochs is not None:
        steps = round(validation.number(epochs, "epochs", low=0, open_low=True) * recipe.epoch)
        recipe, length = shorten(recipe, steps), f"{length}-{epochs:g}-epochs"
    if minutes is not None:
        length += f"-{validation.number(minutes, 'minutes', low=0, open_low=True):g}-minutes"
    checkpoint = cache_folder() / "training" / f"{name}-{source}{length}.npz"
    if minutes is not None:  # a training that goes on keeps the number of steps that was measured when it began
        recipe = shorten(recipe, planned_steps(checkpoint) if checkpoint.exists() else _steps_in(minutes, make))
    if precision is None and recipe.precision == "mixed_bfloat16" and _knows_bfloat16() is False:
        print("this processor has no instructions for bfloat16 and imitates them slowly: --precision float32 is "
              "several times faster, and rounds in another way")
    loop = make()
    if joined and loop.chief:
        make_folder(folder)
    try:
        reached = loop.run(checkpoint, progress=progress)
    except Exception:
        if pictures is None or pictures.failure is None:
            raise
        if loop.chief:
            loop.save(checkpoint)
        raise pictures.failure from None  # TensorFlow says it in many lines
    if pictures is not None and pictures.left_out:
        one, why = next(iter(pictures.left_out.items()))
        print(f"left out: {len(pictures.left_out)} of the photographs, such as {one}: {why}")
    if not reached:
        print(f"stopped at step {loop.step} of {recipe.steps}: the same command goes on from there")
        return False
    if not loop.chief:
        return True
    _finish(name, recipe, loop, pictures, photos and Path(photos).name, folder, needed)
    checkpoint.unlink()
    return True


def _others(recipe, folder):
    """Return the trained models that a training gets, as its arguments, and of these the ones that it builds on."""
    needed = {other: pretrained.load(other, pretrained.home(other, folder))
              for other in recipe.options.get("needs", [])}
    arguments = dict(needed)
    if recipe.options.get("judged"):
        arguments["judge"] = pretrained.load("classifier", pretrained.home("classifier", folder))
    return arguments, needed


def measure(name, folder=None):
    """Measure trained weights again and write the numbers into their model card; the weights stay as they are.

    ``folder`` holds weights and card: by default ``helpers/weights``. All else on the card tells of the training, and
    stays.
    """
    import helpers.models  # noqa: F401 - keeps TensorFlow quiet

    recipe, folder = recipes.recipe(name), Path(folder or pretrained.FOLDER)
    about, ready = pretrained.card(name, folder), pretrained.load(name, folder)
    make_folder(folder)  # one that cannot be written to is told at once
    arguments, _ = _others(recipe, folder)
    training = recipe.module().Training(recipe, **arguments)
    training.ready = ready
    metrics = training.evaluate()
    pretrained.write_card(name, about | {"metrics": metrics}, folder)
    print(f"measured {name} in {folder}")
    _tell(metrics)


def shorten(recipe, steps):
    """Return the recipe for a training of ``steps`` steps."""
    steps = max(1, steps)
    return recipe._replace(
        steps=steps, warmup=min(recipe.warmup, steps // 5), ema=min(recipe.ema, 1 - min(1, 10 / steps)),
        look=min(recipe.look, max(1, steps // 4)), record=min(recipe.record, max(1, steps // 20)))


def _steps_in(minutes, make):
    """Return how many steps fit into some minutes: the first steps build the graph, the next ten are timed."""
    loop = make()
    loop.training.watch = dict  # looks at the held-out metric are not steps
    loop.run(steps=3, progress=False)
    started = time.monotonic()
    loop.run(steps=13, progress=False)
    return int(60 * minutes / ((time.monotonic() - started) / 10))


def _finish(name, recipe, loop, pictures, source, folder, needed):
    """Round the averaged weights as they will be stored, measure them, and write weights and card."""
    import numpy as np

    with loop.averaged():
        ready = recipe.ready().blank(recipe, **needed)
        kept = {part: loop.training.networks[part] for part in ready.networks}  # a player may serve training alone
        stored = {key: np.asarray(v, np.float32).astype(np.float16) for key, v in pretrained._named(kept)}
        pretrained.put(ready.networks, stored)
        loop.training.ready = ready  # in float32, whatever the precision of the training
        metrics = loop.training.evaluate()
    about = {
        "name": name,
        "what": recipe.what,
        "data": f"{len(pictures)} pictures of {source}" if pictures else recipe.data,
        "command": f"python -m helpers train {name}" + (f" --photos {source}" if pictures else ""),
        "parameters": int(sum(np.size(v) for v in stored.values())),
        "minutes": round(loop.minutes, 1),
        "processor minutes": round(loop.processor_minutes, 1),
        "hardware": f"{_processor()}, {_cores()} cores",
        "versions": {package: version(package) for package in ("tensorflow", "keras", "numpy")},
        "needs": {other: pretrained.card(other, pretrained.home(other, folder))["sha256"] for other in needed},
        **_beginning(recipe),
        "recipe": recipe.fingerprint(),
        "metrics": metrics,
        "held out as it went": loop.watched,
        "loss": loop.curve[:: max(1, len(loop.curve) // 100)],
    }
    pretrained.save(name, ready.networks, about, folder)
    print(f"wrote {name} to {folder} after {loop.minutes:.1f} minutes")
    _tell(metrics)


def _beginning(recipe):
    """Return whose weights the training began with, for the card; nothing for one that began with random numbers."""
    start = recipe.options.get("start")
    return {} if start is None else {"began with": {start: pretrained.card(start)["sha256"]}}


def _knows_bfloat16(cpuinfo=Path("/proc/cpuinfo")):
    """Say whether the processor has instructions for bfloat16; None where that is not told."""
    try:
        flags = cpuinfo.read_text().lower().split()
    except OSError:
        return None
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def _tell(metrics):
    for metric, value in metrics.items():
        print(f"  {metric}: {value}")


def _cores():
    return os.cpu_count()


def _processor():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
