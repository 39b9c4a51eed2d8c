"""One training loop for every model of the course: seeded, resumable, on one device or several.

A training is an object with ``networks`` (by name), the ``ready`` object made of them, ``players`` (who minimises
what; a GAN has two), ``draw(seed, batch)`` (a batch of tensors, a function of the seed alone), ``watch()`` (held-out
metrics of ``ready`` to look at as it goes) and ``evaluate()`` (those of the model card). Everything random is a
function of the recipe's seed and the number of the step. So a training that was stopped and goes on gives the same
curve as one that was not.
"""

import contextlib
import functools
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from helpers.files import make_folder, write_whole
from helpers.recipes import PRECISIONS
from helpers.validation import brief


class Player(NamedTuple):
    """One loss and the networks that minimise it."""

    name: str
    networks: list  # names
    loss: Callable  # batch -> scalar


def split(seed, count):
    """Return ``count`` independent seeds, shape (count, 2), from one."""
    return tf.random.experimental.stateless_split(seed, count)


class Loop:
    """Run the steps of a training.

    Parameters
    ----------
    make : function () -> training
        Called once, inside the scope of the strategy.
    recipe : Recipe
        Its ``steps``, ``batch``, ``learning_rate``, ``betas``, ``ema``, ``warmup``, ``precision`` and ``seed`` are
        used here.
    strategy : tf.distribute.Strategy, optional
        Several devices, or several machines (:func:`machines`), share each batch. By default the device that TensorFlow
        finds first.
    parts : int
        In how many parts a batch is drawn, each from a seed of its own. A device then draws only the parts that are
        its own, if the parts can be shared by the devices; if not, it draws all and takes its share. The curve depends
        on the parts and, but for rounding and for layers that draw random numbers, not on who draws them. A training
        that goes on keeps the parts that it began with.
    """

    def __init__(self, make, recipe, strategy=None, parts=1):
        self.recipe, self.parts = recipe, parts
        self.strategy = strategy or tf.distribute.get_strategy()
        self.several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        self.chief = not self.several or strategy.cluster_resolver.task_type == "chief"  # it alone has files
        if recipe.precision not in PRECISIONS:
            raise ValueError(f"precision is {brief(recipe.precision)}, expected one of {', '.join(PRECISIONS)}: "
                             "float16 would need its losses scaled")
        if recipe.batch % self.strategy.num_replicas_in_sync:
            raise ValueError(f"batch {recipe.batch} cannot be shared by {self.strategy.num_replicas_in_sync} devices")
        keras.utils.set_random_seed(recipe.seed)
        before = keras.mixed_precision.global_policy()
        keras.mixed_precision.set_global_policy(recipe.precision)
        try:
            with self.strategy.scope():
                self.training = make()
                self.optimizers = {player.name: self._optimizer() for player in self.training.players}
                for player in self.training.players:
                    self.optimizers[player.name].build(self._trained_by(player))
        finally:
            keras.mixed_precision.set_global_policy(before)
        self.step, self.curve, self.watched = 0, [], []
        self.minutes, self.processor_minutes = 0.0, 0.0  # by the clock, and of all cores together
        self._update = tf.function(self._one_step, autograph=False, jit_compile=recipe.xla and not strategy)
        self._vote = tf.function(self._sum, autograph=False)

    def _optimizer(self):
        recipe = self.recipe
        rate = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate * 0.01, recipe.steps - recipe.warmup, alpha=recipe.final,
            warmup_target=recipe.learning_rate, warmup_steps=recipe.warmup)
        return keras.optimizers.Adam(rate, *recipe.betas, use_ema=True, ema_momentum=recipe.ema)

    def _trained_by(self, player):
        return [v for name in player.networks for v in self.training.networks[name].trainable_variables]

    def _one_step(self, step):
        seed = tf.stack([tf.constant(self.recipe.seed, tf.int32), step])
        apart = self.parts > 1 and self.parts % self.strategy.num_replicas_in_sync == 0
        drawn = self._seeds(step) if apart else self._whole(seed, step)
        losses = self.strategy.run(lambda drawn: self._play(self._own(drawn, apart)), args=(drawn,))
        return {name: self.strategy.reduce("sum", loss, axis=None) for name, loss in losses.items()}

    def _seeds(self, step):
        """Return a seed for each part of a batch, (parts, 2): the second number of a seed is always the step."""
        first = split(tf.constant([self.recipe.seed, 0], tf.int32), self.parts)[:, 0]
        return tf.stack([first, tf.fill([self.parts], step)], axis=1)

    def _whole(self, seed, step):
        if self.parts == 1:
            return self.training.draw(seed, self.recipe.batch)
        return self._drawn(self._seeds(step), 0, self.parts)

    def _drawn(self, seeds, first, count):
        """Draw ``count`` parts of a batch."""
        parts = [self.training.draw(seeds[first + i], self.recipe.batch // self.parts) for i in range(count)]
        return tf.nest.map_structure(lambda *tensors: tf.concat(tensors, 0), *parts)

    def _own(self, drawn, apart):
        """Return this device's share of the batch: cut from the whole, or drawn here from its own seeds."""
        devices = self.strategy.num_replicas_in_sync
        place = tf.distribute.get_replica_context().replica_id_in_sync_group
        if apart:
            return self._drawn(drawn, self.parts // devices * place, self.parts // devices)
        share = self.recipe.batch // devices
        first = share * place
        return tf.nest.map_structure(lambda t: t[first : first + share], drawn)

    def _play(self, batch):
        """Let every player take one step, on this device's share of the batch."""
        context = tf.distribute.get_replica_context()
        losses = {}
        for player in self.training.players:
            variables = self._trained_by(player)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([v.value for v in variables])
                loss = player.loss(batch) / self.strategy.num_replicas_in_sync
            gradients = self._clip(tape.gradient(loss, [v.value for v in variables]), context)
            self.optimizers[player.name].apply(gradients, variables)
            losses[player.name] = loss
        return losses

    def _clip(self, gradients, context):
        """Shorten each gradient of the whole batch to ``clipnorm``; Keras would clip each device's share."""
        if self.recipe.clipnorm is None:
            return gradients
        devices = self.strategy.num_replicas_in_sync
        if devices > 1:
            gradients = context.all_reduce("sum", gradients)
        return [tf.clip_by_norm(g, self.recipe.clipnorm) / devices for g in gradients]  # Keras adds the devices up

    # ------------------------------------------------------------------------------------ running

    def run(self, checkpoint=None, steps=None, save_every=60.0, progress=True):
        """Train until ``steps`` (by default all of the recipe's); return True if that was reached, False if stopped.

        Ctrl-C or a termination signal ends the run after the current step, with a checkpoint written. ``checkpoint``
        is a path: it is read if it exists, and written every ``save_every`` seconds. Of several machines the chief
        alone reads and writes it, looks at the held-out metric and shows its progress; whichever is told to stop, all
        stop after the same step.
        """
        from tqdm import tqdm

        steps = self.recipe.steps if steps is None else steps
        checkpoint, progress = (checkpoint, progress) if self.chief else (None, False)
        self._begin(checkpoint)
        saved = noted = time.monotonic()
        busy = time.process_time()
        with _Stop() as stop, self._together(), tqdm(total=steps, initial=self.step, unit="step", mininterval=1,
                                                     disable=not progress, dynamic_ncols=True) as bar:
            while self.step < steps and not self._asked(stop):
                losses = self._update(tf.constant(self.step, tf.int32))
                self.step += 1
                if self.step % self.recipe.record == 0 or self.step == self.recipe.steps:
                    self.curve.append([self.step, *(float(loss) for loss in losses.values())])
                    if not np.isfinite(self.curve[-1]).all():
                        raise FloatingPointError(f"the loss became {self.curve[-1][1:]} at step {self.step}: "
                                                 "try a lower learning_rate")
                    bar.set_postfix({name: f"{float(loss):.4g}" for name, loss in losses.items()})
                last = self.step == self.recipe.steps
                if self.chief and self.recipe.look and (self.step % self.recipe.look == 0 or last):
                    with self.averaged():
                        self.watched.append([self.step, self.training.watch()])
                    if progress:
                        tqdm.write(f"step {self.step}: " + ", ".join(
                            f"{name} {value:.4g}" for name, value in self.watched[-1][1].items()))
                bar.update()
                now = time.monotonic()
                self.minutes, noted = self.minutes + (now - noted) / 60, now
                now = time.process_time()
                self.processor_minutes, busy = self.processor_minutes + (now - busy) / 60, now
                if checkpoint is not None and time.monotonic() - saved > save_every:
                    self.save(checkpoint)
                    saved = time.monotonic()
        if checkpoint is not None:
            self.save(checkpoint)
        return self.step >= steps

    @contextlib.contextmanager
    def _together(self):
        """Turn TensorFlow's many lines about a machine that died into one."""
        try:
            yield
        except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError):
            if not self.several:
                raise
            raise ValueError(f"TF_CONFIG: another machine no longer answers, at step {self.step}. Start all of them "
                             "again: the training goes on from its last checkpoint") from None

    def _asked(self, stop):
        """Say whether this worker or, of several, any of them is to stop."""
        return bool(self._vote(tf.constant(float(stop.asked), tf.float64)) > 0) if self.several else stop.asked

    def _begin(self, checkpoint):
        """Go on from a checkpoint if there is one; of several machines the chief reads it, and sends it on."""
        refused = None
        if checkpoint is not None and checkpoint.exists():
            try:
                self.resume(checkpoint)
            except ValueError as error:
                refused = error
        if self.several:
            step, parts = self._from_chief([self.step if refused is None else -1, self.parts])
            if step < 0 and refused is None:
                refused = ValueError("the chief cannot read its checkpoint, and says why")
        if refused is not None:
            raise refused
        if self.several:
            self.step, self.parts = int(step), int(parts)
            variables = self._variables()
            mine = [_array(variable) for variable in variables]
            sent = self._from_chief(np.concatenate([values.ravel().astype(np.float64) for values in mine]))
            ends = np.cumsum([values.size for values in mine])[:-1]
            for variable, values, came in zip(variables, mine, np.split(sent, ends), strict=True):
                variable.assign(came.reshape(values.shape).astype(values.dtype))

    def _from_chief(self, values):
        """Return the numbers of the chief, whatever the others have: they add nothing."""
        values = np.asarray(values, np.float64)
        return self._vote(tf.constant(values if self.chief else np.zeros_like(values))).numpy()

    def _sum(self, values):
        """Add numbers up over all machines, of whose devices the first one says them."""
        def mine():
            local = self.strategy.extended.worker_devices
            place = tf.distribute.get_replica_context().replica_id_in_sync_group
            return tf.where(tf.equal(place % len(local), 0), values, tf.zeros_like(values))

        return self.strategy.reduce("sum", self.strategy.run(mine), axis=None)

    def averaged(self):
        """Put the running average of the weights in place for the length of a ``with`` block: it is what gets saved."""
        return _Averaged(self)

    # ------------------------------------------------------------------------------------ checkpoints

    def _variables(self):
        networks = [v for network in self.training.networks.values() for v in network.variables]
        return networks + [v for optimizer in self.optimizers.values() for v in optimizer.variables]

    def save(self, path):
        """Write everything that the next step depends on, whole or not at all."""
        arrays = {f"v{i}": _array(v) for i, v in enumerate(self._variables())}
        story = json.dumps({"recipe": self.recipe.fingerprint(), "step": self.step, "parts": self.parts,
                            "minutes": self.minutes,
                            "processor minutes": self.processor_minutes, "curve": self.curve, "watched": self.watched})
        make_folder(path.parent)

        def write(temporary):
            with open(temporary, "wb") as file:
                np.savez(file, story=np.array(story), **arrays)

        write_whole(path, write)

    def resume(self, path):
        """Read a checkpoint of this recipe; raise ``ValueError`` for another recipe's or a damaged one."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                story = json.loads(str(archive["story"]))
                recipe, step, parts = story["recipe"], story["step"], story.get("parts", 1)
                minutes, processor_minutes = story["minutes"], story["processor minutes"]
                curve, watched = story["curve"], story["watched"]
                arrays = [archive[f"v{i}"] for i in range(len(archive.files) - 1)]
        except Exception as error:
            raise ValueError(f"checkpoint {str(path)!r} cannot be read ({error}): delete it to begin anew") from None
        variables = self._variables()
        if recipe != self.recipe.fingerprint() or [a.shape for a in arrays] != [v.shape for v in variables]:
            raise ValueError(f"checkpoint {str(path)!r} belongs to another recipe: delete it to begin anew")
        for variable, values in zip(variables, arrays, strict=True):
            variable.assign(values)
        self.step, self.parts, self.curve, self.watched = step, parts, curve, watched
        self.minutes, self.processor_minutes = minutes, processor_minutes


def planned_steps(path):
    """Return how many steps the training of a checkpoint is to have."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return int(json.loads(str(archive["story"]))["recipe"]["steps"])
    except Exception as error:
        raise ValueError(f"checkpoint {str(path)!r} cannot be read ({error}): delete it to begin anew") from None


def _array(variable):
    return keras.ops.convert_to_numpy(variable)


class _Averaged:
    def __init__(self, loop):
        self.loop = loop

    def __enter__(self):
        self.variables = [v for player in self.loop.training.players for v in self.loop._trained_by(player)]
        self.values = [_array(v) for v in self.variables]
        for player in self.loop.training.players:
            if self.loop.step:
                self.loop.optimizers[player.name].finalize_variable_values(self.loop._trained_by(player))

    def __exit__(self, *_):
        for variable, value in zip(self.variables, self.values, strict=True):
            variable.assign(value)


class _Stop:
    """Turn the first Ctrl-C (or termination signal) into a wish that the loop reads between two steps."""

    asked = False

    def __enter__(self):
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            for kind in (signal.SIGINT, signal.SIGTERM):
                self.before[kind] = signal.signal(kind, self._ask)
        return self

    def _ask(self, *_):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *_):
        for kind, handler in self.before.items():
            signal.signal(kind, handler)


PARTS = 8  # of a batch, if several machines train: so many can share it
CLUSTER = '{"cluster": {"chief": ["HOST:PORT"], "worker": ["HOST:PORT", …]}, "task": {"type": "chief", "index": 0}}'


def machines():
    """Return the strategy that the variable ``TF_CONFIG`` describes, or None if there is no such variable.

    It is the ``tf.distribute.MultiWorkerMirroredStrategy``, as TensorFlow configures it; every machine must be started
    with the same cluster, and with its own task. This must be called before TensorFlow has started its devices.

    Raises
    ------
    ValueError
        For a ``TF_CONFIG`` that is no JSON, names no chief, or gives this process no place in its cluster.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
        cluster, task = dict(config.get("cluster", {})), dict(config.get("task", {}))
        sizes = {kind: len(addresses) for kind, addresses in cluster.items() if isinstance(addresses, list)}
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"TF_CONFIG cannot be read: {brief(text)} came, where {CLUSTER} is expected") from None
    if sizes.get("chief") != 1:
        raise ValueError(f"TF_CONFIG names {'no' if not sizes.get('chief') else 'more than one'} chief, which writes "
                         f"all files: {CLUSTER} is expected")
    other = sorted(set(cluster) - {"chief", "worker"})
    if other:
        raise ValueError(f"TF_CONFIG: the cluster has {other[0]!r}, where only a chief and workers train")
    kind, index = task.get("type"), task.get("index")
    if kind not in sizes or index not in range(sizes[kind]):
        raise ValueError(f"TF_CONFIG: the task {brief(task)} is none of the cluster's: its type is chief or worker, "
                         "and its index counts from 0")
    return _join(text)


@functools.lru_cache(maxsize=1)
def _join(text):
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ValueError(f"TF_CONFIG: several machines must be joined before anything else runs: {error}") from None


def devices(count):
    """Return a strategy that shares each batch among ``count`` GPUs or, without any, as many logical CPU devices.

    On the CPU this must be called before TensorFlow has started its devices.
    """
    gpus = tf.config.list_logical_devices("GPU") if tf.config.list_physical_devices("GPU") else []
    if gpus:
        if count > len(gpus):
            raise ValueError(f"strategy: {count} devices were asked for, and {len(gpus)} GPUs are here")
        return tf.distribute.MirroredStrategy([device.name for device in gpus[:count]])
    try:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError:
        if len(tf.config.list_logical_devices("CPU")) < count:
            raise ValueError(f"strategy: TensorFlow has started with one CPU device; {brief(count)} must be asked for "
                             "before anything else runs") from None
    names = [device.name for device in tf.config.list_logical_devices("CPU")[:count]]
    return tf.distribute.MirroredStrategy(
        names, cross_device_ops=tf.distribute.ReductionToOneDevice())
