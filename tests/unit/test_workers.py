"""Many hands: the same rows and files as one process, whoever dies, and one sentence where it cannot be."""

import asyncio
import contextlib
import io
import json
import logging
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from distributed.client import FutureCancelledError
from PIL import Image
from typer.testing import CliRunner

from helpers import images, repair, repair_folder, workers
from helpers.__main__ import app
from helpers.images import photo
from helpers.workers import Alone, Failed, Sent, hands, in_order

ROOT = Path(__file__).parents[2]
GAMES = {"tasks": ["denoise25", "superres2"], "methods": ["total variation", "Wiener", "skimage NL-means"]}
pytestmark = pytest.mark.timeout(120)


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


class Cluster:
    """A scheduler in this process, and workers in processes of their own, as a reader starts them."""

    def __init__(self, folder):
        from distributed import LocalCluster

        self.folder, self.processes = folder, []
        self.cluster = LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=60)
        self.address = self.cluster.scheduler_address

    def grow(self, count):
        """Let there be so many workers."""
        from distributed import Client

        if not count:
            return
        while len(self.processes) < count:
            self.processes.append(subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny",
                 "--no-dashboard", "--local-directory", str(self.folder)],
                cwd=self.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL))
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.cluster.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    one = Cluster(tmp_path_factory.mktemp("cluster"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def doomed(tmp_path_factory):
    """A cluster of which little will be left."""
    one = Cluster(tmp_path_factory.mktemp("doomed"))
    yield one
    one.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(workers, "LOOK", 0.05)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Five noisy pictures, one of them in a folder below, and a file that only looks like one."""
    monkeypatch.chdir(tmp_path)
    mine, rng = tmp_path / "mine", np.random.default_rng(0)
    (mine / "below").mkdir(parents=True)
    x = photo("cat", size=48, color=True)
    for i, name in enumerate(("a.png", "b.png", "c.webp", "d.tif", "below/e.png")):
        y = np.clip(x[: 32 + 3 * i] + 0.1 * rng.standard_normal((32 + 3 * i, 48, 3)), 0, 1)
        Image.fromarray(np.rint(255 * y).astype(np.uint8)).save(mine / name)
    (mine / "broken.png").write_bytes(b"\x89PNG nothing follows")
    return mine


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def no_times(document):
    for row in document["rows"]:
        del row["seconds"]
    return document


# ----------------------------------------------------------------------------------------- without a cluster


def test_one_process_takes_its_items_in_turn_and_goes_on_after_a_failure():
    took = []

    def items():
        for i in (1, 0, 2):
            took.append(i)
            yield 6, i

    found = []
    for place, outcome in Alone().map(lambda a, b: a // b, items()):
        assert len(took) == place + 1, "items are read when they are needed"
        found.append(outcome)
    assert found[0] == 6 and found[2] == 3
    assert isinstance(found[1], Failed) and isinstance(found[1].error, ZeroDivisionError)


def test_what_comes_early_waits_for_its_turn():
    came = []

    def outcomes():
        for place in (2, 0, 1, 4, 3):
            came.append(place)
            yield place, -place

    found = [(place, outcome, len(came)) for place, outcome in in_order(outcomes())]
    assert found == [(0, 0, 2), (1, -1, 3), (2, -2, 3), (3, -3, 5), (4, -4, 5)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_waited_is_not_lost_when_the_work_is_broken_off(error):
    def outcomes():
        yield from ((0, "a"), (3, "d"), (2, "c"))
        raise error

    found = []
    with pytest.raises(error):
        found.extend(iter_into(found, in_order(outcomes())))
    assert found == [(0, "a"), (2, "c"), (3, "d")]


def iter_into(found, outcomes):
    for one in outcomes:
        found.append(one)
    return ()


def test_a_picture_that_was_sent_is_read_like_its_file(folder, tmp_path):
    for name in ("a.png", "d.tif", "broken.png"):
        said = []
        for source in (folder / name, Sent.of(folder / name)):
            try:
                picture = images.read_picture(source)
                said.append((picture.x.tobytes(), picture.bits))
            except ValueError as error:
                said.append(str(error))
        assert said[0] == said[1]
    values = np.arange(12, dtype="<f4").reshape(3, 4) / 12
    (tmp_path / "x.pfm").write_bytes(b"Pf\n4 3\n-1.0\n" + values.tobytes())  # a kind that its ending tells
    assert np.array_equal(images.read_picture(Sent.of(tmp_path / "x.pfm")).x,
                          images.read_picture(tmp_path / "x.pfm").x)
    with pytest.raises(ValueError, match=r"gone\.png.*there is no such file"):
        Sent.of(folder / "gone.png")


@pytest.mark.parametrize(("options", "message"), [
    (["--workers", 0], "workers must be at least 1"), (["--workers", 2, "--scheduler", "tcp://x:1"], "say one of them"),
])
def test_a_wrong_option_is_named(folder, options, message):
    result = command("restore", folder, "-o", "out", "--noise", 25, *options)
    assert result.exit_code == 2 and message in result.output
    result = command("league", "--images", folder, *options)
    assert result.exit_code == 2 and message in result.output


def test_what_became_of_a_folder_is_told_by_name_whoever_was_faster(folder, monkeypatch):
    shutil.copy(folder / "broken.png", folder / "a broken one.png")
    said, in_turn = [], Alone.map
    for number, method in enumerate((in_turn, lambda *given: reversed(list(in_turn(*given))))):
        with monkeypatch.context() as patch:
            patch.setattr(Alone, "map", method)
            result = command("restore", folder, "-o", f"out{number}", "--noise", 25, "--method", "Wiener")
        assert result.exit_code == 0, result.output
        said.append(result.stdout.replace(f"out{number}", "out"))
    assert said[0] == said[1] and said[0].index("a broken one.png") < said[0].index("  broken.png")
    assert contents(Path("out0")) == contents(Path("out1"))


def test_one_picture_needs_one_process(folder):
    result = command("restore", folder / "a.png", "-o", "out.png", "--noise", 25, "--workers", 2)
    assert result.exit_code == 2 and "for a folder" in result.output and not Path("out.png").exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://no-such-host.invalid:8786", "nonsense"])
def test_a_scheduler_that_does_not_answer(folder, monkeypatch, address):
    monkeypatch.setattr(workers, "ANSWER", 0.3)
    result = command("restore", folder, "-o", "out", "--noise", 25, "--scheduler", address)
    assert result.exit_code == 2 and f"error: scheduler '{address}' does not answer" in result.output
    assert result.output.strip().count("\n") == 0


def test_a_folder_that_vanishes_in_mid_run_ends_it_and_keeps_what_is_done(folder, monkeypatch):
    """Its pictures are not skipped one by one, as if each were at fault."""
    whole = repair.restore_file

    def restore(photo, output, wishes):
        restored = whole(photo, output, wishes)
        shutil.rmtree(folder)
        return restored

    monkeypatch.setattr(repair, "restore_file", restore)
    result = command("restore", folder, "-o", "out", "--noise", 25, "--method", "Wiener")
    assert result.exit_code == 2 and "mine': the folder has vanished" in result.output, result.output
    assert set(contents(Path("out"))) == {"restore.json", "a.png"}


def test_a_folder_of_results_that_vanishes_is_told(folder, monkeypatch):
    whole = repair.restore_file
    monkeypatch.setattr(repair, "restore_file", lambda *given: (
        shutil.rmtree("out", ignore_errors=True), whole(*given))[1])
    result = command("restore", folder, "-o", "out", "--noise", 25, "--method", "Wiener")
    assert result.exit_code == 2 and "output 'out': the folder has vanished" in result.output


def test_a_folder_that_vanishes_while_the_league_reads_it(folder, monkeypatch):
    whole = images.read_photo

    def read(path, **options):
        shutil.rmtree(folder)
        return whole(path, **options)

    monkeypatch.setattr(images, "read_photo", read)
    result = command("league", "--images", folder)
    assert result.exit_code == 2 and "mine': the folder has vanished" in result.output


def test_one_process_imports_no_dask():
    code = ("import sys, helpers.league, helpers.repair_folder, helpers.workers as w\n"
            "with w.hands() as crew: print(list(crew.map(abs, [(-3,)])))\n"
            "assert 'distributed' not in sys.modules and 'tensorflow' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert done.stdout.strip() == "[(0, 3)]", done.stderr


class Fails(Exception):
    """An error that does not survive a journey."""

    def __init__(self):
        super().__init__("one line")
        self.lock = threading.Lock()


def fail():
    raise Fails


BUSY = []


def alone(i):
    """Return how many are at work at this moment."""
    BUSY.append(i)
    time.sleep(0.02)
    most = len(BUSY)
    BUSY.remove(i)
    return most


def test_a_worker_with_two_threads_does_one_picture_at_a_time(monkeypatch):
    monkeypatch.setattr(workers, "_report", dict)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda i: workers._do({}, pickle.dumps((alone, (i,)))), range(4))) == [1] * 4


def test_an_error_that_cannot_travel_comes_back_as_one_that_can(monkeypatch):
    monkeypatch.setattr(workers, "_report", dict)
    failed = workers._do({}, pickle.dumps((fail, ())))
    assert repr(failed.error) == "RuntimeError('Fails: one line')" and pickle.loads(pickle.dumps(failed))
    failed = workers._do({}, pickle.dumps((int, ("x",))))
    assert type(failed.error) is ValueError


def test_what_a_worker_has_too_much_is_told_as_well():
    with pytest.raises(ValueError, match="worker w: the weights of moon is 12 there, and missing here"):
        workers._compare({"numpy": "2"}, {"numpy": "2", "the weights of moon": "12"}, "w")


def test_the_papers_tell_other_code_and_not_other_line_ends(monkeypatch, tmp_path):
    from helpers import pretrained

    monkeypatch.setattr(pretrained, "names", tuple)
    monkeypatch.setattr(workers, "__file__", str(tmp_path / "workers.py"))
    (tmp_path / "below").mkdir()
    found = []
    for content in (b"a = 1\n", b"a = 1\r\n", b"a = 2\n"):
        (tmp_path / "below/a.py").write_bytes(content)
        found.append(workers._papers.__wrapped__()["the code of helpers"])
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(("loaded", "threads"), [(True, "not set"), (False, "1")])
def test_threads_are_set_where_tensorflow_is_still_to_come(monkeypatch, loaded, threads):
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_papers", dict)
        patch.setattr(os, "environ", {})
        patch.setattr(sys, "modules", {"tensorflow": None} if loaded else {})
        report = workers._report()
    assert report == {workers.THREADS_OF: threads}


def test_only_who_was_not_expected_to_go_is_told_as_dead():
    told = []
    crew = workers.Crew.__new__(workers.Crew)
    crew.there, crew._died, crew.tell = {"a", "b"}, queue.SimpleQueue(), told.append
    for worker, expected in (("a", True), ("b", False), ("b", False)):
        crew._hear((0.0, {"action": "remove-worker", "worker": worker, "expected": expected}))
    crew._hear((0.0, {"action": "add-worker", "worker": "c"}))
    crew._tell_deaths()
    assert crew.there == {"c"} and told == ["worker b died: what it had in hand is done again"]


def test_processes_of_this_machine_get_one_thread_and_this_one_keeps_its_own(monkeypatch):
    import distributed

    seen = []

    class Started(contextlib.nullcontext):
        scheduler_address = "here"

        def __init__(self, **options):
            super().__init__()
            seen.append((options["n_workers"], {name: os.environ.get(name) for name in workers.THREADS}))

    monkeypatch.setattr(distributed, "LocalCluster", Started)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with workers._processes(3) as address:
        assert address == "here" and seen == [(3, workers.THREADS)]
        assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


def test_dasks_log_speaks_again_afterwards():
    log = logging.getLogger("distributed")
    before = log.level
    with workers._silence():
        assert not log.isEnabledFor(logging.CRITICAL)
    assert log.level == before


# ----------------------------------------------------------------------------------------------- a cluster


def test_one_two_and_three_workers_give_the_rows_of_one_process(cluster, folder):
    """All of them, in the same order, to the last bit, with the same pictures left out; only seconds differ."""
    played = ["league", "--images", folder, "--json", "rows.json"]
    played += [part for task in GAMES["tasks"] for part in ("--task", task)]
    played += [part for method in GAMES["methods"] for part in ("--method", method)]
    found = []
    for count in (0, 1, 2, 3):
        cluster.grow(count)
        result = command(*played, *(["--scheduler", cluster.address] if count else []))
        assert result.exit_code == 0, result.output
        assert ("seconds are those of a worker" in result.output) == (count > 0)
        assert "left out: broken.png" in result.output and "%" in result.output
        found.append(no_times(json.loads(Path("rows.json").read_text())))
    assert len(found[0]["rows"]) == 4 * 5 and found[0]["complete"] is True
    assert found[1] == found[0] and found[2] == found[0] and found[3] == found[0]


def test_a_folder_comes_back_as_from_one_process(cluster, folder):
    """The workers run in another folder, and are given content and no paths."""
    cluster.grow(2)
    said = []
    for output, options in (("out-1", []), ("out-2", ["--scheduler", cluster.address])):
        result = command("restore", "mine", "-o", output, "--noise", 25, "--method", "total variation", "--compare",
                         *options)
        assert result.exit_code == 0, result.output
        said.append(result.output[result.output.index("skipped 1"):].replace(output, "out"))
    assert said[0] == said[1] and "broken.png: cannot be read as a picture" in said[0]
    assert contents(Path("out-1")) == contents(Path("out-2")) and len(contents(Path("out-1"))) == 11
    again = command("restore", "mine", "-o", "out-2", "--noise", 25, "--method", "total variation", "--compare",
                    "--scheduler", cluster.address)
    assert again.exit_code == 0 and "restored 0, done before 5" in again.output


def test_a_folder_that_vanishes_while_others_work_on_it(cluster, folder, monkeypatch):
    cluster.grow(1)
    for i in range(8):
        shutil.copy(folder / "a.png", folder / f"a{i}.png")
    whole = repair_folder._write

    def write(*given):
        whole(*given)
        shutil.rmtree(folder, ignore_errors=True)

    monkeypatch.setattr(repair_folder, "_write", write)
    result = command("restore", folder, "-o", "out", "--noise", 25, "--method", "Wiener", "--scheduler",
                     cluster.address)
    assert result.exit_code == 2 and "mine': the folder has vanished" in result.output, result.output
    assert 1 <= len(list(Path("out").rglob("*.png"))) < 13


def threads_here():
    return {name: os.environ.get(name) for name in workers.THREADS}


def test_a_worker_has_one_thread_whatever_it_inherited(cluster):
    cluster.grow(2)
    with hands(scheduler=cluster.address) as crew:
        found = [outcome for _, outcome in crew.map(threads_here, [()] * 4)]
    assert found == [workers.THREADS] * 4


def test_a_run_that_is_broken_off_leaves_the_cluster_free(cluster):
    cluster.grow(1)
    with hands(scheduler=cluster.address) as crew:
        outcomes = crew.map(abs, ((-i,) for i in range(50)))
        assert next(outcomes)[1] in range(8)
        outcomes.close()
        assert sorted(crew.map(abs, [(-7,), (-8,)])) == [(0, 7), (1, 8)]


@pytest.mark.parametrize(("change", "says"), [
    ({"the weights of moon": "0123"}, "the weights of moon is missing there, and 0123 here"),
    ({"numpy": "1.0"}, "numpy is 2.*there, and 1.0 here"),
    ({"the code of helpers": "abc"}, "the code of helpers is .* there, and abc here"),
])
def test_a_worker_that_would_compute_something_else_is_refused(cluster, folder, monkeypatch, change, says):
    import re

    cluster.grow(1)
    papers = workers._papers() | change
    monkeypatch.setattr(workers, "_papers", lambda: papers)
    result = command("restore", folder, "-o", "out", "--noise", 25, "--scheduler", cluster.address)
    assert result.exit_code == 2 and re.search(rf"error: worker tcp://.*: {says}", result.output), result.output
    assert list(Path("out").glob("*.png")) == []


def test_a_worker_that_joins_later_is_looked_at_too(cluster):
    cluster.grow(1)
    with hands(scheduler=cluster.address) as crew:
        crew.papers = crew.papers | {"keras": "1.0"}
        with pytest.raises(ValueError, match=r"worker that joined: keras is .* there, and 1.0 here"):
            list(crew.map(abs, [(-1,)]))


def test_a_scheduler_without_workers(monkeypatch, tmp_path):
    from distributed import LocalCluster

    monkeypatch.setattr(workers, "ANSWER", 0.5)
    with LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=60) as empty, \
            pytest.raises(ValueError, match="no worker is there"), hands(scheduler=empty.scheduler_address):
        pass


def die_once(flag, value):
    """End this process if there is a flag, and take the flag away; return the value."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(flag)
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def test_a_worker_that_dies_loses_nothing_and_is_told_in_one_line(doomed, tmp_path):
    doomed.grow(2)
    told = []
    (tmp_path / "3").touch()
    with hands(scheduler=doomed.address, tell=told.append) as crew:
        found = list(in_order(crew.map(die_once, ((str(tmp_path / str(i)), i) for i in range(12)))))
    assert found == [(i, i) for i in range(12)] and not (tmp_path / "3").exists()
    (line,) = told
    assert "died: what it had in hand is done again" in line


class Killed:
    def result(self):
        from distributed import KilledWorker

        raise KilledWorker("a picture", None, 3)


def test_a_picture_that_kills_every_worker_is_left_out(doomed):
    crew = workers.Crew.__new__(workers.Crew)
    assert "every worker that took it died" in str(crew._outcome(Killed()).error)


@pytest.mark.parametrize("lost", [asyncio.CancelledError(), FutureCancelledError("one", "scheduler-connection-lost"),
                                  ConnectionResetError()])
def test_a_result_that_was_lost_with_its_scheduler_ends_the_run(lost):
    """What a result raises depends on the moment at which the connection broke."""
    crew = workers.Crew.__new__(workers.Crew)
    crew.name = "scheduler 'tcp://x'"

    def result():
        raise lost

    with pytest.raises(ValueError, match="scheduler 'tcp://x' no longer answers; what is done is kept"):
        crew._outcome(SimpleNamespace(result=result))


def test_nothing_can_be_sent_once_the_client_has_closed(cluster):
    cluster.grow(1)
    with hands(scheduler=cluster.address) as crew:
        crew.client.close()
        with pytest.raises(ValueError, match="no longer answers; what is done is kept"):
            list(crew.map(abs, [(-1,)]))


def test_when_no_worker_is_left_the_run_ends(doomed, monkeypatch, tmp_path):
    monkeypatch.setattr(workers, "PATIENCE", 0.3)
    doomed.grow(1)
    with hands(scheduler=doomed.address, tell=lambda line: None) as crew:
        for process in doomed.processes:
            process.kill()
        with pytest.raises(ValueError, match="no worker is left; what is done is kept"):
            list(crew.map(abs, [(-1,)] * 1000))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_is_heard(cluster, request):
    """In a destructor an exception is lost, and dask's results have destructors."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" has it ignored
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    class Last:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def items():
        yield (-1,)
        Last()
        yield (-2,)

    cluster.grow(1)
    with hands(scheduler=cluster.address) as crew, pytest.raises(KeyboardInterrupt):
        list(crew.map(abs, items()))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_scheduler_that_goes_away(tmp_path):
    one = Cluster(tmp_path)
    one.grow(1)
    with pytest.raises(ValueError, match="no longer answers; what is done is kept"), \
            hands(scheduler=one.address, tell=lambda line: None) as crew:
        for _, outcome in crew.map(abs, ((-i,) for i in range(10**6))):
            if outcome == 3:
                threading.Thread(target=one.cluster.close).start()
    one.close()


# ----------------------------------------------------------------------------------- processes of this machine


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_keeps_what_is_done_and_says_so_in_peace(folder, tmp_path):
    """It reaches all processes of a terminal; no worker prints a trace, and all of them end."""
    x = np.asarray(Image.open(folder / "a.png"))
    for i in range(400):
        Image.fromarray(x).save(folder / f"more{i:03d}.png")
    running = subprocess.Popen(
        [sys.executable, "-m", "helpers", "restore", str(folder), "-o", str(tmp_path / "out"), "--noise", "25",
         "--method", "total variation", "--workers", "2"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's "&" has it ignored
    bar = io.StringIO()
    while "2/406" not in bar.getvalue():
        piece = running.stderr.read(1)
        assert piece, bar.getvalue()
        bar.write(piece)
    os.killpg(running.pid, signal.SIGINT)
    said, shown = running.communicate(timeout=60)
    shown = bar.getvalue() + shown
    assert running.returncode == 130, shown
    assert "stopped: the same command goes on from here" in said and "Traceback" not in shown + said
    done = len(list((tmp_path / "out").rglob("*.png")))
    assert 1 <= done < 405 and f"restored {done}," in said
    left = [one for one in psutil.process_iter(["status"]) if os.getpgid(one.pid) == running.pid]
    assert all(one.info["status"] == psutil.STATUS_ZOMBIE for one in left)
