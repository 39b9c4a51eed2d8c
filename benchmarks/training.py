"""What pays when networks are trained on the CPU: ``python -m benchmarks.training``.

First the choices of helpers/training.py, step by step: precision, XLA, and where batches are drawn. Then the GAN
against the loop of TensorFlow's DCGAN tutorial (https://www.tensorflow.org/tutorials/generative/dcgan): the same
networks in both loops, and both recipes whole at equal CPU time. Every entry gets a process of its own; times are CPU
seconds, so that other work on the machine changes them little.
"""

import argparse
import json
import subprocess
import sys
import time

BATCH = 64


def main():
    """Print the tables, or, as a child, the result of one entry."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=3.0, help="CPU minutes for each recipe of the last table")
    options.add_argument("--child", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(_child(**json.loads(chosen.child))))
        return

    print(f"{'one training step':<44} {'CPU ms':>8} {'ratio':>7}")
    for model in ("denoiser", "gan"):
        base = None
        for label, settings in {
            "float32": {}, "mixed bfloat16": {"precision": "mixed_bfloat16"}, "float32, XLA": {"xla": True},
            "float32, batches from tf.data": {"pipeline": "tf.data"},
        }.items():
            seconds = _ask(what="step", model=model, **settings)["seconds"]
            base = base or seconds
            print(f"{model + ', ' + label:<44} {1e3 * seconds:8.0f} {base / seconds:6.2f}×", flush=True)

    print(f"\n{'GAN, the same networks, batch 64':<44} {'CPU ms':>8} {'ratio':>7}")
    tutorial = _ask(what="tutorial step")["seconds"]
    lines = {"the tutorial's loop": tutorial,
             "ours, its loss alone": _ask(what="step", model="gan", plain=True)["seconds"],
             "ours, its loss alone, mixed bfloat16":
                 _ask(what="step", model="gan", plain=True, precision="mixed_bfloat16")["seconds"],
             "ours, with R1 and disturbances": _ask(what="step", model="gan")["seconds"]}
    for label, seconds in lines.items():
        print(f"{label:<44} {1e3 * seconds:8.0f} {tutorial / seconds:6.2f}×", flush=True)

    print(f"\n{f'digits after {chosen.minutes:g} CPU minutes':<44} {'images':>8} {'Fréchet':>8} {'× floor':>8}")
    for label, what in {"the tutorial's networks and loop": "tutorial quality", "ours": "quality"}.items():
        result = _ask(what=what, minutes=chosen.minutes)
        print(f"{label:<44} {result['images']:8d} {result['frechet']:8.2f} {result['multiple']:8.1f}", flush=True)


def _ask(**question):
    command = [sys.executable, "-m", "benchmarks.training", "--child", json.dumps(question)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _child(what, **settings):
    return {"step": _our_step, "tutorial step": _tutorial_step, "quality": _our_quality,
            "tutorial quality": _tutorial_quality}[what](**settings)


def _clock(step, warm=3, steps=12):
    for _ in range(warm):
        step()
    started = time.process_time()
    for _ in range(steps):
        step()
    return {"seconds": (time.process_time() - started) / steps}


# ------------------------------------------------------------------------------------------------ ours


def _loop(model, precision="float32", xla=False, plain=False, steps=None):
    from helpers.recipes import RECIPES
    from helpers.training import Loop

    recipe = RECIPES[model]._replace(precision=precision, xla=xla)
    if steps:
        from helpers.train import shorten

        recipe = shorten(recipe, steps)
    module = recipe.module()
    arguments = {} if model == "denoiser" else {"judge": None}
    if plain:  # the tutorial's loss: no penalty, no disturbance
        import tensorflow as tf

        module.disturb = lambda x, seed: x

        def loss(self, batch):
            real, label, z, drawn, _ = batch
            fake = self.networks["generator"]([z[:, 0], drawn[:, 0]], training=True)
            judge = self.networks["discriminator"]
            return (tf.reduce_mean(tf.nn.softplus(-judge([real, label], training=True)))
                    + tf.reduce_mean(tf.nn.softplus(judge([fake, drawn[:, 0]], training=True))))

        module.Training.discriminator_loss = loss
    return Loop(lambda: module.Training(recipe, **arguments), recipe)


def _our_step(model, pipeline="in the graph", **settings):
    import tensorflow as tf

    loop = _loop(model, **settings)
    counter = iter(range(10**6))
    if pipeline == "in the graph":
        return _clock(lambda: loop._update(tf.constant(next(counter))))
    draw, batch = loop.training.draw, loop.recipe.batch
    data = iter(tf.data.Dataset.range(10**6, output_type=tf.int32)
                .map(lambda i: draw(tf.stack([loop.recipe.seed, i]), batch), tf.data.AUTOTUNE).prefetch(2))
    update = tf.function(lambda *parts: loop.strategy.run(loop._play, args=(parts,)), autograph=False)
    return _clock(lambda: update(*next(data)))


def _our_quality(minutes):
    from helpers import pretrained
    from helpers.league import digit_tasks

    probe = _loop("gan")
    import tensorflow as tf

    counter = iter(range(10**6))
    seconds = _clock(lambda: probe._update(tf.constant(next(counter))))["seconds"]
    loop = _loop("gan", steps=int(60 * minutes / seconds))
    loop.training.watch = dict
    loop.run(progress=False)
    with loop.averaged():
        quality = digit_tasks.sample_quality(loop.training.ready.sample(5000, 0), pretrained.load("classifier"))
    return {"images": loop.step * loop.recipe.batch, "frechet": quality.frechet, "multiple": quality.multiple}


# ------------------------------------------------------------------------------------------------ the tutorial's form


def _in_the_tutorials_form(generator, discriminator, data, noise):
    """Return the tutorial's train_step on a dataset: both losses from one generated batch, two tapes, Adam at 1e-4."""
    import keras
    import tensorflow as tf

    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizers = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)

    @tf.function
    def train_step(real):
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake = generator(noise())
            real_output, fake_output = discriminator(real), discriminator(fake)
            generator_loss = entropy(tf.ones_like(fake_output), fake_output)
            discriminator_loss = (entropy(tf.ones_like(real_output), real_output)
                                  + entropy(tf.zeros_like(fake_output), fake_output))
        pairs = ((generator.model, generator_loss, generator_tape, optimizers[0]),
                 (discriminator.model, discriminator_loss, discriminator_tape, optimizers[1]))
        for model, loss, tape, optimizer in pairs:
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    batches = iter(data.shuffle(60000).repeat().batch(BATCH))
    return lambda: train_step(next(batches))


class _Called:
    """A model with the way the loop calls it."""

    def __init__(self, model, call):
        self.model, self.call = model, call

    def __call__(self, x):
        return self.call(x)


def _tutorial_step():
    import keras
    import tensorflow as tf

    from helpers.images import digits
    from helpers.models import gan

    keras.utils.set_random_seed(0)
    generator, discriminator = gan.build_generator(), gan.build_discriminator()
    x = digits().x_train
    label = tf.one_hot(tf.random.uniform([BATCH], 0, 10, tf.int32), 10)
    step = _in_the_tutorials_form(
        _Called(generator, lambda z: generator([z, label], training=True)),
        _Called(discriminator, lambda x: discriminator([x, label[: tf.shape(x)[0]]], training=True)),
        tf.data.Dataset.from_tensor_slices(x), lambda: tf.random.normal([BATCH, 64]))
    return _clock(step)


def _tutorial_networks():
    """Build networks of the tutorial's sizes: 2.3 million and 0.2 million parameters."""
    import keras
    from keras import layers

    generator = keras.Sequential([
        keras.Input((100,)),
        layers.Dense(7 * 7 * 256, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(0.3),
        layers.Reshape((7, 7, 256)),
        layers.Conv2DTranspose(128, 5, strides=1, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.LeakyReLU(0.3),
        layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.LeakyReLU(0.3),
        layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
    ])
    discriminator = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(64, 5, strides=2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3),
        layers.Conv2D(128, 5, strides=2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3),
        layers.Flatten(), layers.Dense(1),
    ])
    return generator, discriminator


def _tutorial_quality(minutes):
    import keras
    import numpy as np
    import tensorflow as tf

    from helpers import pretrained
    from helpers.images import digits
    from helpers.league import digit_tasks

    keras.utils.set_random_seed(0)
    generator, discriminator = _tutorial_networks()
    step = _in_the_tutorials_form(
        _Called(generator, lambda z: generator(z, training=True)),
        _Called(discriminator, lambda x: discriminator(x, training=True)),
        tf.data.Dataset.from_tensor_slices(2 * digits().x_train - 1), lambda: tf.random.normal([BATCH, 100]))
    steps, started = 0, time.process_time()
    while time.process_time() - started < 60 * minutes:
        step()
        steps += 1
    z = np.random.default_rng(0).standard_normal((5000, 100)).astype(np.float32)
    x = np.concatenate([generator(part, training=False).numpy() for part in np.split(z, 10)]) / 2 + 0.5
    quality = digit_tasks.sample_quality(x, pretrained.load("classifier"))
    return {"images": steps * BATCH, "frechet": quality.frechet, "multiple": quality.multiple}


if __name__ == "__main__":
    main()
