"""What the models and methods of the course cost: ``python -m benchmarks.compute``.

Writes book/5-outlook/compute.json, which the page "Count the cost" reads: a measured second differs from run to run,
and a page of this book must not. (The last question holds no times: it trains two students with six seeds, too long for
a page.) Every question gets a process of its own; times are wall-clock medians of many calls, in milliseconds, after
calls that warm up. Name questions to measure only those again, as in ``python -m benchmarks.compute precision sparse``.
It takes about ten minutes; let nothing else run meanwhile.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "book/5-outlook/compute.json"
SIDES = (16, 32, 64, 128, 256, 512, 1024)  # pixels: pictures for the growth of cost
DENSE_SIDES = (8, 16, 32, 64)  # a dense matrix of 128² columns would hold two gigabytes
DENSITIES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def main():
    """Measure, and write the file; or, as a child, print the answer to one question."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", nargs="*", choices=[[], *QUESTIONS], help="by default all")
    options.add_argument("--child", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        name, settings = json.loads(chosen.child)
        print(json.dumps(CHILDREN[name](**settings)))
        return
    from helpers.files import write_whole
    from helpers.train import _cores, _processor

    found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    found |= {"command": "python -m benchmarks.compute", "date": str(datetime.date.today()),
              "hardware": f"{_processor()}, {_cores()} cores",
              "versions": {package: version(package) for package in ("tensorflow", "keras", "numpy")}}
    for name in chosen.questions or QUESTIONS:
        print(f"{name} …", flush=True)
        found[name] = _rounded(QUESTIONS[name]())
        print(json.dumps(found[name]), flush=True)
        text = json.dumps(found, indent=1)
        write_whole(FILE, lambda path, text=text: path.write_text(text + "\n", encoding="utf-8"))


def _rounded(values):
    """Return nested values with every time to four digits: the others are chance."""
    if isinstance(values, dict):
        return {name: _rounded(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return float(f"{values:.4g}") if isinstance(values, float) else values


def ask(name, cores=None, environment=None, **settings):
    """Answer one question in a process of its own, on the given cores."""
    command = [sys.executable, "-m", "benchmarks.compute", "--child", json.dumps([name, settings])]
    if cores:
        command = ["taskset", "-c", cores, *command]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if result.returncode:
        raise RuntimeError(f"{name} {settings} failed: {result.stderr.strip().splitlines()[-1]}")
    return json.loads(result.stdout.splitlines()[-1])


def clock(call, least=9, most=60, seconds=2.0):
    """Return the median time of a call in milliseconds, over at least ``least`` calls or about ``seconds``."""
    for _ in range(3):
        call()
    times, until = [], time.perf_counter() + seconds
    while len(times) < least or (len(times) < most and time.perf_counter() < until):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1e3 * float(np.median(times))


# ------------------------------------------------------------------------------------------------ models


def latency():
    """Return the time of one picture and of a picture in a batch of 64 for each model, as a reader calls it."""
    from helpers import pretrained
    from helpers.images import digits
    from helpers.league import digit_tasks

    x = digits().x_test[:64]
    y, operators, sigma = digit_tasks.damage(x, "noise50")
    load = pretrained.shared
    calls = {
        "classifier": lambda n: load("classifier").read(x[:n]),
        "restorer": lambda n: load("restorer").restore(y[:n], operators[:n], sigma),
        "vae": lambda n: load("vae").sample(n, seed=0),
        "gan": lambda n: load("gan").sample(n, seed=0),
        "inverter": lambda n: load("inverter").restore(y[:n], operators[:n], sigma, steps=0),
        "search": lambda n: load("inverter").restore(y[:n], operators[:n], sigma),
    }
    found = {}
    for name, call in calls.items():
        found[name] = {"one": clock(lambda call=call: call(1)), "in a batch": clock(lambda call=call: call(64)) / 64}
    found["denoiser"] = {"one": clock(lambda: load("denoiser")(noisy(256), 25 / 255))}
    return found


def noisy(side):
    """Return a test photograph of the given side under noise of 25/255."""
    from PIL import Image

    from helpers.images import photos

    picture = Image.fromarray(photos("test", 512)["camera"]).resize((side, side), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    return np.clip(np.asarray(picture), 0, 1) + 25 / 255 * noise


def profile(network, x):
    """Return the milliseconds of every layer by its name, each run alone on what the layer really gets."""
    import keras

    layers = [layer for layer in network.operations  # to cut a channel out takes next to no time
              if not isinstance(layer, keras.layers.InputLayer) and type(layer).__name__ != "GetItem"]
    wanted = [tensor for layer in layers for tensor in _flat(layer.input)]
    values = dict(zip(map(id, wanted), keras.Model(network.inputs, wanted)(x), strict=True))
    found = {}
    for layer in layers:
        given = [values[id(tensor)] for tensor in _flat(layer.input)]
        found[layer.name] = clock(lambda layer=layer, given=given: np.asarray(layer(*given)), least=9, most=30,
                                  seconds=0.5)
    return found


def _flat(tensors):
    return list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]


def where():
    """Return the milliseconds of every layer of the denoiser on 256 × 256 pixels."""
    from helpers import pretrained

    y = noisy(256)
    both = np.stack([y, np.full_like(y, 25 / 255)], axis=-1)[None]
    return profile(pretrained.shared("denoiser").network, both)


# ------------------------------------------------------------------------------------------------ switches


def _inputs(model, batch):
    """Return the network of a model with inputs for it."""
    from helpers import pretrained
    from helpers.models.vae import one_hot

    rng = np.random.default_rng(0)
    if model == "denoiser":
        y = noisy(256)
        return pretrained.shared(model).network, np.stack([y, np.full_like(y, 25 / 255)], axis=-1)[None]
    if model == "classifier":
        return pretrained.shared(model).network, rng.random((batch, 28, 28, 1), np.float32)
    z = rng.standard_normal((batch, 64)).astype(np.float32)
    return pretrained.shared("gan").networks["generator"], [z, one_hot(np.arange(batch) % 10)]


def run_network(model, policy="float32", way="graph", batch=64):
    """Return the milliseconds of a call of the network, and of its first call, which compiles it."""
    import keras
    import tensorflow as tf

    import helpers.models  # noqa: F401 - keeps TensorFlow quiet

    keras.mixed_precision.set_global_policy(policy)
    network, x = _inputs(model, batch)
    x = tf.nest.map_structure(tf.constant, x)

    def forward(x):
        return network(x, training=False)

    call = {"eager": forward, "predict": lambda x: network.predict(x, verbose=0),
            "graph": tf.function(forward), "XLA": tf.function(forward, jit_compile=True)}[way]
    started = time.perf_counter()
    tf.nest.map_structure(np.asarray, call(x))
    first = time.perf_counter() - started
    return {"milliseconds": clock(lambda: tf.nest.map_structure(np.asarray, call(x))), "first": 1e3 * first}


def step(model, precision="float32", xla=False, count=None):
    """Return the milliseconds of a training step of a model."""
    import tensorflow as tf

    import helpers.models  # noqa: F401 - keeps TensorFlow quiet
    from helpers.recipes import RECIPES
    from helpers.training import Loop, devices

    recipe = RECIPES[model]._replace(precision=precision, xla=xla)
    strategy = devices(count) if count else None
    arguments = {"judge": None} if recipe.options.get("judged") else {}
    loop = Loop(lambda: recipe.module().Training(recipe, **arguments), recipe, strategy)
    counter = iter(range(10**6))

    def call():
        return {name: float(loss) for name, loss in loop._update(tf.constant(next(counter))).items()}

    started = time.perf_counter()
    call()
    first = time.perf_counter() - started
    return {"milliseconds": clock(call, seconds=5.0), "first": 1e3 * first}


def switches():
    """Return the times of three networks run in four ways, and of a training step without XLA and with it."""
    found = {}
    for model in ("denoiser", "classifier", "generator"):
        found[model] = {way: ask("run_network", model=model, way=way) for way in ("eager", "predict", "graph", "XLA")}
    found["gan step"] = {way: ask("step", model="gan", xla=way == "XLA") for way in ("graph", "XLA")}
    return found


def precision():
    """Return the times of networks and of a training step with numbers of 32 and of 16 bits."""
    found = {}
    for model in ("denoiser", "classifier"):
        found[model] = {name: ask("run_network", model=model, policy=policy)["milliseconds"]
                        for name, policy in POLICIES.items()}
    found["classifier step"] = {name: ask("step", model="classifier", precision=POLICIES[name])["milliseconds"]
                                for name in ("float32", "bfloat16")}
    return found


def two():
    """Return the times of a training step on one core, on two, and on two logical devices that share two cores."""
    return {
        "one device, one core": ask("step", cores="0", model="classifier")["milliseconds"],
        "one device, two cores": ask("step", cores="0,1", model="classifier")["milliseconds"],
        "two devices, two cores": ask("step", cores="0,1", model="classifier", count=2)["milliseconds"],
    }


# ------------------------------------------------------------------------------------------------ growth, sparsity


def growth():
    """Return the milliseconds of each method against the number of pixels, as pairs."""
    from helpers import pretrained, restoration
    from helpers.operators import Blur, Identity, Mask

    denoise = pretrained.shared("denoiser")
    blur = Blur.gaussian(1.6)
    methods = {
        "Wiener filter": lambda y, mask: restoration.wiener(y, blur, 25 / 255),
        "wavelet shrinkage": lambda y, mask: restoration.wavelet_shrinkage(y, Identity(), 25 / 255),
        "DCT shrinkage": lambda y, mask: restoration.dct_shrinkage(y, Identity(), 25 / 255),
        "non-local means": lambda y, mask: restoration.non_local_means(y, Identity(), 25 / 255),
        "total variation": lambda y, mask: restoration.total_variation(y, Identity(), 25 / 255),
        "biharmonic": lambda y, mask: restoration.biharmonic(mask.forward(y), mask),
        "denoiser network": lambda y, mask: denoise(y, 25 / 255),
    }
    found = {name: [] for name in methods}
    for side in SIDES:
        y = noisy(side)
        mask = Mask.random(y.shape, 0.5, np.random.default_rng(0))
        for name, method in methods.items():
            if side >= 32 or name == "denoiser network":
                found[name].append([side**2, clock(lambda method=method, y=y, mask=mask: method(y, mask),
                                                   least=5, seconds=1.0)])
    found["dense matrix"] = []
    for side in DENSE_SIDES:
        matrix = np.random.default_rng(0).random((side**2, side**2)) + side**2 * np.eye(side**2)
        b = noisy(side).ravel()
        found["dense matrix"].append([side**2, clock(lambda matrix=matrix, b=b: np.linalg.solve(matrix, b),
                                                     least=3, seconds=1.0)])
    return found


def sparse_product():
    """Return the milliseconds of a matrix times 256 vectors, on one core: stored whole, and as non-zeros alone."""
    from scipy import sparse

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((1024, 256)).astype(np.float32)
    found = {"whole": [], "non-zeros": []}
    for density in DENSITIES:
        matrix = rng.standard_normal((1024, 1024)).astype(np.float32) * (rng.random((1024, 1024)) < density)
        packed = sparse.csr_array(matrix)
        found["whole"].append([density, clock(lambda matrix=matrix: matrix @ vectors)])
        found["non-zeros"].append([density, clock(lambda packed=packed: packed @ vectors)])
    return found


def distil(seeds=6):
    """Return for each seed what two students read right of 2,000 bent digits: one of labels, one of a teacher.

    It is the training of the page.
    """
    import keras
    import tensorflow as tf

    from helpers import pretrained
    from helpers.images import digits
    from helpers.models import adam_for
    from helpers.models.augment import deform
    from helpers.models.classifier import build

    x_train, y_train, x_test, y_test = digits()
    exam = np.concatenate([deform(tf.constant(x_test), tf.constant([0, i]), 1.5) for i in range(4)])
    x = deform(tf.constant(x_train), tf.constant([1, 0]))
    t = pretrained.load("classifier").network.predict(x, batch_size=500, verbose=0)[0]
    p = np.exp(t / 4) / np.exp(t / 4).sum(axis=1, keepdims=True)
    found = []
    for seed in range(seeds):
        shares = []
        for target, temperature in ((np.eye(10)[y_train], 1), (p, 4)):
            keras.utils.set_random_seed(seed)
            student = build(widths=(12, 24, 48), features=32)
            learner = keras.Model(student.input, student.output[0] / temperature)
            adam = adam_for(learner, keras.optimizers.schedules.CosineDecay(4e-3, 2 * 150))
            learner.compile(adam, loss=keras.losses.CategoricalCrossentropy(from_logits=True))
            learner.fit(x, target, epochs=2, batch_size=30, verbose=0)
            read = student.predict(exam, batch_size=500, verbose=0)[0].argmax(axis=1)
            shares.append(float(np.mean(read == np.tile(y_test, 4))))
        found.append(shares)
    return found


CHILDREN = {child.__name__: child for child in (latency, where, run_network, step, growth, sparse_product,
                                           distil)}
QUESTIONS = {
    "latency": lambda: ask("latency"),
    "where": lambda: ask("where"),
    "switches": switches,
    "precision": precision,
    "two": two,
    "growth": lambda: ask("growth"),
    "sparse": lambda: ask("sparse_product", cores="0", environment={"OPENBLAS_NUM_THREADS": "1"}),
    "distil": lambda: ask("distil"),
}

if __name__ == "__main__":
    main()
