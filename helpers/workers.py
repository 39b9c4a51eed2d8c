"""One function over many pictures: in this process, in several of this machine, or on a cluster that exists.

``hands()`` is this process, ``hands(count=4)`` starts four on this machine, ``hands(scheduler="tcp://…")`` joins those
of a `dask.distributed` cluster. Each has ``map(function, items)``.

Pictures are sent, and paths are not: a ``Path`` among the arguments is read here, and its content travels. So a cluster
needs no common disk, and no worker opens a file by a name that a reader chose. What a worker makes comes back and is
written here.

Results do not depend on the number of workers: each does one picture at a time with one thread (``THREADS``), however
many there are, because sums that are shared among threads are rounded otherwise. For the same reason processors of
different kinds, and a single process that uses all of its cores, may differ in the last bits.
"""

import asyncio
import contextlib
import functools
import hashlib
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import time
from concurrent.futures import CancelledError  # dask's own are of this class
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version_tuple
from typing import NamedTuple

from helpers import validation

THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
           "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PACKAGES = ("numpy", "scipy", "scikit-image", "PyWavelets", "pillow", "tifffile", "tensorflow", "keras", "distributed")
ANSWER = 10.0  # seconds in which a scheduler must answer, and have a worker
PATIENCE = 60.0  # seconds without any worker after which a run is given up
THREADS_OF = "the number of TensorFlow's threads"
LOOK = 1.0  # seconds between two looks at who has died, while nothing comes


class Failed(NamedTuple):
    """What became of an item that could not be done."""

    error: Exception


class Unfit(ValueError):
    """A worker that would compute something else."""


@contextlib.contextmanager
def hands(count=None, scheduler=None, tell=None):
    """Give whoever does the work, for the length of a ``with`` block: an object with ``map``.

    Parameters
    ----------
    count : int, optional
        So many processes are started on this machine, and ended with the block.
    scheduler : str, optional
        The address of a cluster, such as ``tcp://10.0.0.5:8786``, whose workers are there already. Each needs this
        very course and its packages: ``dask worker ADDRESS --nthreads 1``, with ``TF_NUM_INTRAOP_THREADS=1``.
    tell : function (line), optional
        Hears of a worker that died; by default standard error does.

    Raises
    ------
    ValueError
        For a scheduler that does not answer or has no worker, and for a worker with other versions, code or weights.
    """
    if count is not None:
        validation.integer(count, "workers", low=1)
        if scheduler is not None:
            raise ValueError("workers are started on this machine, and a scheduler has its own: say one of them")
    if count is None and scheduler is None:
        yield Alone()
        return
    import dask
    from distributed import Client

    quiet = {"distributed.admin.large-graph-warning-threshold": "10GB"}  # pictures may be large
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(quiet))
        stack.enter_context(_silence())
        address = stack.enter_context(_processes(count)) if scheduler is None else scheduler
        try:
            client = stack.enter_context(Client(address, timeout=ANSWER, set_as_default=False))
        except Exception as error:  # a name that nobody knows, a closed door, another protocol: each has its own class
            raise ValueError(f"scheduler {str(address)!r} does not answer: {_one_line(error)}") from None
        crew = Crew(client, "workers" if scheduler is None else f"scheduler {scheduler!r}", tell or _to_stderr)
        crew.check(count or 1)
        stack.enter_context(crew.hearing_interrupts())
        yield crew


class Alone:
    """This process, with as many threads as it likes."""

    def map(self, function, items):
        """Call the function with each tuple of arguments; yield its place and what came of it, or :class:`Failed`."""
        for place, arguments in enumerate(items):
            try:
                outcome = function(*arguments)
            except Exception as error:  # what other libraries raise has many classes
                outcome = Failed(error)
            yield place, outcome

    def __len__(self):
        return 1


class Crew:
    """The workers of a cluster."""

    def __init__(self, client, name, tell):
        self.client, self.name, self.tell = client, name, tell
        self.papers = _papers()
        self.there, self._died = set(), queue.SimpleQueue()
        self._interrupted = False
        client.subscribe_topic("all", self._hear)

    def __len__(self):
        return max(len(self.there), 1)

    def map(self, function, items):
        """Let the workers call a function with each tuple of arguments; yield (place, outcome) as they come.

        Outcomes are as those of :meth:`Alone.map`, but come in any order: see :func:`in_order`. Two items a worker are
        on their way at a time, so that many large pictures fit. An item whose worker died is done again by another.

        Parameters
        ----------
        function : function
            Of a module, so that a worker finds it by its name.
        items : iterable of tuples
            A ``Path`` among the arguments is a file, whose content is sent as :class:`Sent`.
        """
        items, pending, more, done = enumerate(items), {}, True, queue.SimpleQueue()
        try:
            while True:
                while more and len(pending) < 2 * len(self):
                    place, arguments = next(items, (None, ()))
                    if place is None:
                        more = False
                        break
                    try:
                        sent = tuple(Sent.of(one) if isinstance(one, Path) else one for one in arguments)
                    except ValueError as error:
                        yield place, Failed(error)
                        continue
                    future = self._submit(function, sent, place)
                    pending[future] = place
                    future.add_done_callback(done.put)
                if not pending:
                    return
                future = self._next(done)
                yield pending.pop(future), self._outcome(future)
        finally:
            with contextlib.suppress(Exception):  # nobody is there any more to hear of it
                self.client.cancel(list(pending))

    def check(self, least=1):
        """Wait for workers; raise ``ValueError`` where none comes, or one would compute something else."""
        try:
            self.client.wait_for_workers(least, timeout=ANSWER if least == 1 else PATIENCE)
            answers = self.client.run(_report, on_error="return")
        except TimeoutError:
            raise ValueError(f"{self.name}: no worker is there. Start some: dask worker ADDRESS --nthreads 1") from None
        except Exception as error:
            raise ValueError(f"{self.name}: its workers cannot be asked: {_one_line(error)}") from None
        for worker, papers in answers.items():
            if isinstance(papers, Exception):
                raise Unfit(f"worker {worker} has not this course, or not this version of it: {_one_line(papers)}")
            _compare(self.papers, papers, worker)
        self.there |= set(answers)

    @contextlib.contextmanager
    def hearing_interrupts(self):
        """Take note of Ctrl-C also where Python drops it: in the destructors of what dask hands out."""
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
            yield
            return

        def note(number, frame):
            self._interrupted = True
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _hear(self, event):
        """Take note of who came and who died; called by another thread."""
        _, what = event
        if what.get("action") == "add-worker":
            self.there.add(what["worker"])
        elif what.get("action") == "remove-worker":
            self._lose(what["worker"], died=not what.get("expected"))

    def _lose(self, worker, died=True):
        """Take a worker off the list, once, whoever notices first."""
        with contextlib.suppress(KeyError):
            self.there.remove(worker)
            if died:
                self._died.put(worker)

    def _tell_deaths(self):
        with contextlib.suppress(queue.Empty):
            while True:
                self.tell(f"worker {self._died.get_nowait()} died: what it had in hand is done again")

    def _submit(self, function, arguments, place):
        from distributed.client import ClosedClientError

        job = pickle.dumps((function, arguments))  # here: dask would look into every tuple for parts of a graph
        try:
            return self.client.submit(_do, self.papers, job, pure=False, priority=-place)
        except ClosedClientError:
            raise self._gone() from None

    def _next(self, done):
        """Wait until something is done, and return it."""
        alone_since = time.monotonic()
        while True:
            future = None
            with contextlib.suppress(queue.Empty):
                future = done.get(timeout=LOOK)
            if self._interrupted:
                self._interrupted = False
                raise KeyboardInterrupt
            if future is None:  # who died before the scheduler knew that we listen was not announced
                with contextlib.suppress(OSError, TimeoutError):
                    for worker in self.there - set(self.client.scheduler_info(n_workers=-1)["workers"]):
                        self._lose(worker)
            self._tell_deaths()
            if self.client.status != "running":
                raise self._gone()
            if future is not None:
                return future
            if self.there:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > PATIENCE:
                raise ValueError(f"{self.name}: no worker is left; what is done is kept")

    def _outcome(self, future):
        from distributed import KilledWorker

        try:
            outcome = future.result()
        except KilledWorker:
            return Failed(ValueError("every worker that took it died"))
        except (CancelledError, asyncio.CancelledError, OSError):
            raise self._gone() from None
        if isinstance(outcome, Failed) and isinstance(outcome.error, Unfit):
            raise outcome.error
        return outcome

    def _gone(self):
        return ValueError(f"{self.name} no longer answers; what is done is kept")


class Sent(NamedTuple):
    """The content of a picture file under the name that it has at home: ``helpers.images`` reads it like a file."""

    content: bytes
    name: str

    @classmethod
    def of(cls, path):
        """Read a file; raise ``ValueError`` as the reader of pictures does."""
        try:
            return cls(Path(path).read_bytes(), str(path))
        except FileNotFoundError:
            raise ValueError(f"path {str(path)!r}: there is no such file") from None
        except OSError as error:
            raise ValueError(f"path {str(path)!r} cannot be read as a picture: {error}") from None

    @property
    def suffix(self):
        """The ending of the name."""
        return Path(self.name).suffix.lower()

    def read(self):
        """Return the content, as often as it is asked for."""
        return self.content

    def __str__(self):
        return self.name


def in_order(outcomes):
    """Yield (place, outcome) by place: what comes early waits for what stands before it.

    Where the work is broken off, by Ctrl-C or an error, all that has come is yielded before that is raised again.
    """
    waiting, place = {}, 0
    try:
        for one, outcome in outcomes:
            waiting[one] = outcome
            while place in waiting:
                yield place, waiting.pop(place)
                place += 1
    except (Exception, KeyboardInterrupt):
        for one in sorted(waiting):
            yield one, waiting[one]
        raise


# --------------------------------------------------------------------------------------------- at the worker's


_ONE = threading.Lock()  # a worker with several threads does one picture at a time all the same


def _do(papers, job):
    """Do one item, in the process of a worker; what fails comes back as a value, and the worker's log stays empty."""
    with _ONE:
        try:
            _compare(papers, _report(), "that joined")
            function, arguments = pickle.loads(job)
            return function(*arguments)
        except Exception as error:
            try:
                pickle.loads(pickle.dumps(error))
            except Exception:
                error = RuntimeError(_one_line(error))
            return Failed(error)


def _report():
    """Return the papers of a worker; where TensorFlow is not loaded yet, it will have one thread."""
    if "tensorflow" not in sys.modules:
        os.environ.update(THREADS)
    return _papers() | {THREADS_OF: os.environ.get("TF_NUM_INTRAOP_THREADS", "not set")}


@functools.lru_cache(maxsize=1)
def _papers():
    """Return what a result depends on beside the picture: versions, threads, the code of the course, the weights."""
    from helpers import pretrained

    found = {"Python": ".".join(python_version_tuple()[:2]), THREADS_OF: "1"}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    code, home = hashlib.sha256(), Path(__file__).parent
    for path in sorted(home.rglob("*.py")):
        code.update(path.relative_to(home).as_posix().encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    found["the code of helpers"] = code.hexdigest()[:12]
    for name in pretrained.names():
        with contextlib.suppress(OSError):
            weights = (pretrained.FOLDER / pretrained.card(name)["weights"]).read_bytes()
            found[f"the weights of {name}"] = hashlib.sha256(weights).hexdigest()[:12]
    return found


def _compare(ours, theirs, worker):
    """Raise :class:`Unfit` unless a worker has what this process has."""
    for what in dict.fromkeys([*ours, *theirs]):
        mine, its = ours.get(what), theirs.get(what)
        if mine != its:
            raise Unfit(f"worker {worker}: {what} is {its or 'missing'} there, and {mine or 'missing'} here; every "
                        "worker needs this very course")


def dask_setup(worker):
    """Let Ctrl-C, which reaches every process of a terminal, stop the command alone; it then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# --------------------------------------------------------------------------------------------- details


@contextlib.contextmanager
def _processes(count):
    """Start a scheduler in this process and workers beside it; give the address."""
    import dask
    from distributed import LocalCluster

    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(THREADS)  # what a reader has set for one process is not meant for each of several
    try:
        with dask.config.set({"distributed.nanny.pre-spawn-environ": THREADS}):
            cluster = LocalCluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=":0",
                                   memory_limit=0, silence_logs=logging.CRITICAL + 1, preload=[__name__])
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    with cluster:
        yield cluster.scheduler_address


@contextlib.contextmanager
def _silence():
    """Keep dask's own log off standard error: what a reader should know is said in a line."""
    log = logging.getLogger("distributed")
    before = [(one, one.level) for one in (log, *log.handlers)]  # its children have levels of their own
    for one, _ in before:
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in before:
            one.setLevel(level)


def _to_stderr(line):
    from tqdm import tqdm

    with contextlib.suppress(OSError):  # nobody listens
        tqdm.write(line, file=sys.stderr)


def _one_line(error):
    said = " ".join(str(error).split())
    return said if said and isinstance(error, ValueError) else f"{type(error).__name__}: {said}".removesuffix(": ")
