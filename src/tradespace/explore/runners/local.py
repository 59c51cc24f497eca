"""Workers for trials: forked from a warm server, limited in time and memory, killed for real.

Each task runs in a worker process. A task that takes too long or too much memory is killed
with its children; the others do not notice. When the exploration itself dies, the system kills
its workers.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import context, forkserver, popen_forkserver, spawn
from pathlib import Path
from typing import Any, Self

import psutil
from pebble import ProcessExpired, ProcessPool

from tradespace.core.errors import InputError, UnreachableError
from tradespace.explore.runners import preload
from tradespace.explore.runners._base import Ended, Ending

_WATCH_S = 0.1
#: To find children, the whole table of processes is read: for all workers at once, and less often
#: than the memory of those that are known is.
_LOOK_FOR_CHILDREN_S = 1.0
_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "POLARS_MAX_THREADS",
    ),
    "1",
)
#: Exit codes that say nothing of the task: the system was short of memory, or somebody ended it.
#: Pebble's workers exit with 15 on SIGTERM; 255 is what is known of one whose server has gone.
_FROM_OUTSIDE = (
    -signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGINT, signal.SIGTERM, 255, None,
)  # fmt: skip
_PREPARATION = threading.Lock()


class _Popen(popen_forkserver.Popen):
    """Starts a worker that does not import the user's main script again.

    The standard library would, so that functions defined there can be found; ours are all in
    modules, and a script without an ``if __name__ == "__main__"`` guard must work.
    """

    def _launch(self, process_obj: Any) -> None:
        with _PREPARATION:
            original = spawn.get_preparation_data
            spawn.get_preparation_data = _without_main(original)  # type: ignore[assignment]  # same call
            try:
                super()._launch(process_obj)  # type: ignore[misc]  # untyped in typeshed
            finally:
                spawn.get_preparation_data = original


def _without_main(original: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    def prepare(name: str) -> dict[str, Any]:
        data = original(name)
        data.pop("init_main_from_name", None)
        data.pop("init_main_from_path", None)
        return data

    return prepare


class _Process(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the standard library's name
        return _Popen(process_obj)


class _Context(context.ForkServerContext):
    Process = _Process


def _worker_start(environment: dict[str, str]) -> None:
    """Die with the server, leave signals to the exploration.

    The environment is that of the server, unless the server had to be started again.
    """
    os.environ.update(environment)
    sys.excepthook = sys.__excepthook__
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The server lives as long as somebody holds the other end of this pipe. A worker must not:
    # one that hangs would keep the server, and so itself, alive after the exploration's death.
    server: Any = forkserver._forkserver  # noqa: SLF001 - there is no public way to ask
    held = getattr(server, "_forkserver_alive_fd", None)
    if held is not None:
        os.close(held)
        server._forkserver_alive_fd = None  # noqa: SLF001 - closed, as above
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _run(mark: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Run a task, having left the process id where the watch finds it."""
    place = Path(mark)
    place.write_text(str(os.getpid()))
    try:
        return function(*arguments)
    finally:
        place.unlink(missing_ok=True)


class TrialPool:
    """A pool of trial workers.

    Parameters
    ----------
    workers : int
        How many run at a time.
    families : sequence of str
        Whose libraries the server loads before it forks.
    memory_bytes : float, optional
        Limit of one task, its children included and shared pages left out; by default a fair
        share of four fifths of what is free now.
    marks : Path, optional
        Folder in which running tasks leave their process ids, emptied at the start; by default
        a temporary one.

    """

    def __init__(
        self,
        *,
        workers: int,
        families: Sequence[str] = (),
        memory_bytes: float | None = None,
        marks: Path | None = None,
    ) -> None:
        free = psutil.virtual_memory().available
        self.memory_bytes = memory_bytes or 0.8 * free / workers
        self.workers = workers
        self._environment = {
            **_ONE_THREAD,
            # Else the server, which Python starts with -c, imports from the current folder first.
            "PYTHONSAFEPATH": "1",
            preload.VARIABLE: ",".join(dict.fromkeys(families)),
        }
        self._marks = marks or Path(tempfile.mkdtemp(prefix="tradespace-"))
        shutil.rmtree(self._marks, ignore_errors=True)
        self._marks.mkdir(parents=True, exist_ok=True)
        self._running: dict[Future[Any], str] = {}
        self._over: dict[str, str] = {}
        self._limits: dict[str, float] = {}
        self._children: dict[int, list[int]] = {}
        self._looked_at_s = -math.inf
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all workers at once."""
        self._stop()
        shutil.rmtree(self._marks, ignore_errors=True)

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            for pid in self._pids().values():
                _kill_tree(pid)
            self._pool.join()
            self._pool = None

    def _start(self) -> ProcessPool:
        """Return the pool, its server running: one that something killed is started again."""
        if self._pool is not None and not self._pool.active:
            self._stop()
        context_ = _Context()
        context_.set_forkserver_preload([preload.__name__])
        with _environment(self._environment), _without_interrupts():
            forkserver.ensure_running()
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self.workers,
                initializer=_worker_start,
                initargs=(self._environment,),
                context=context_,
            )
        return self._pool

    def submit(
        self, key: str, function: Callable[..., Any], *arguments: Any, timeout_s: float
    ) -> None:
        """Start a task; `function` must be importable and `arguments` picklable."""
        mark = str(self._marks / key.replace("/", "_"))
        pool = self._start()
        future = pool.schedule(_run, args=(mark, function, arguments), timeout=timeout_s)
        self._running[future] = key
        self._limits[key] = timeout_s

    def ended(self) -> Iterator[Ended]:
        """Yield tasks as they end, until none is running; more may be submitted meanwhile."""
        while self._running:
            done, _ = wait(self._running, timeout=_WATCH_S, return_when=FIRST_COMPLETED)
            self._watch()
            for future in done:
                yield self._outcome(self._running.pop(future), future)
            if not done and self._pool is not None and not self._pool.active:
                # No worker could be started: nobody will come back to what was given out.
                for key in [self._running.pop(future) for future in list(self._running)]:
                    yield Ended(key, "killed", cause="its pool of workers died")

    def _outcome(self, key: str, future: Future[Any]) -> Ended:
        try:
            return Ended(key, "done", future.result())
        except TimeoutError:
            return Ended(key, "timed out", cause=f"took longer than {self._limits[key]:g} s")
        except ProcessExpired as error:
            if key in self._over:
                return Ended(key, "out of memory", cause=self._over.pop(key))
            ending: Ending = "killed" if error.exitcode in _FROM_OUTSIDE else "failed"
            return Ended(key, ending, cause=f"its process died: {_ending(error.exitcode)}")
        except MemoryError as error:
            return Ended(key, "out of memory", cause=f"could not allocate: {error}")
        except (CancelledError, BrokenProcessPool):
            return Ended(key, "killed", cause="its pool of workers died")
        except UnreachableError as error:
            return Ended(key, "unreachable", cause=str(error))
        except InputError as error:
            return Ended(key, "failed", cause=_cause(error), error=error)
        except Exception as error:
            return Ended(key, "failed", cause=_cause(error))

    def _pids(self) -> dict[str, int]:
        pids = {}
        for key in self._running.values():
            mark = self._marks / key.replace("/", "_")
            with contextlib.suppress(OSError, ValueError):
                pids[key] = int(mark.read_text())
        return pids

    def _watch(self) -> None:
        pids = self._pids()
        if time.monotonic() - self._looked_at_s >= _LOOK_FOR_CHILDREN_S:
            self._children = _descendants(pids.values())
            self._looked_at_s = time.monotonic()
        for key, pid in pids.items():
            used = sum(_memory_bytes(part) for part in (pid, *self._children.get(pid, ())))
            if used > self.memory_bytes and key not in self._over:
                self._over[key] = (
                    f"used {used / 1e9:.2f} GB of memory, more than the limit of "
                    f"{self.memory_bytes / 1e9:.2f} GB"
                )
                _kill_tree(pid)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let what is started meanwhile ignore Ctrl-C, which the terminal sends to all of a group."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _descendants(roots: Iterable[int]) -> dict[int, list[int]]:
    """Return the processes below each root, all ours, by one look at the table of processes."""
    below: dict[int, list[int]] = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            below.setdefault(process.ppid(), []).append(process.pid)

    def under(root: int) -> Iterator[int]:
        for child in below.get(root, ()):
            yield child
            yield from under(child)

    return {root: list(under(root)) for root in roots}


def _memory_bytes(pid: int) -> float:
    """Return the memory of a process that it shares with nobody; 0 if it has ended."""
    with contextlib.suppress(psutil.Error):
        info = psutil.Process(pid).memory_info()
        return float(info.rss - getattr(info, "shared", 0))
    return 0.0


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for part in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.Error):
                part.kill()


def _ending(exitcode: int | None) -> str:
    if exitcode is None:
        return "no exit code"
    if exitcode < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-exitcode).name}"
    return f"exit code {exitcode}"


def _cause(error: BaseException) -> str:
    text = str(error).strip() or "no message"
    first = text.splitlines()[0][:400]
    return f"{type(error).__name__}: {first}"
