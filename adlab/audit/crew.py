"""Runs the tasks of a sweep: in processes of adlab's own, in an `Executor`, or on a Dask cluster. Results come in order."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol

from adlab.audit.corpus import Entry
from adlab.audit.task import SweepTask, lines_of, numbered, row_without, written_rows
from adlab.errors import GaveUp, MissingExtra, PeerError
from adlab.process import Worker

AHEAD = 16
"""How far a worker may be ahead of the first unfinished task, so that a slow formula does not delay the others for long."""
GRACE = 4.0
"""A task is killed after so many times the seconds that its truth and each method may take.

They watch the clock themselves. Only what cannot do so must be killed.
"""
_START = 30.0
"""Seconds that a new process may take to import everything."""

_BETWEEN = "\x1e"
"""What stands between the rows of an answer, which is one line. JSON has no such sign."""


def by_processes(tasks: Iterable[SweepTask], methods: Sequence[str], seconds: float, path: str, workers: int) -> Iterator[bytes]:
    """The rows of each task, in order, from `workers` processes. A task that kills its process, or hangs, is one row."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    crew = [Worker("adlab.audit.crew", path, json.dumps(list(methods)), repr(seconds)) for _ in range(workers)]
    for worker in crew:
        idle.put(worker)

    def done(task: SweepTask) -> bytes:
        worker = idle.get()
        try:
            answer = worker.ask(json.dumps([task.number, task.index, task.point]), GRACE * seconds + _START)
            return _lost(task, worker.how) if answer is None else answer.replace(_BETWEEN, "\n").encode()
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(workers)
    try:
        yield from _in_order((threads.submit(done, task) for task in tasks), workers)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in crew:
            worker.kill()
        threads.shutdown(wait=True)
        for worker in crew:
            worker.close()


def by_executor(tasks: Iterable[SweepTask], methods: Sequence[str], seconds: float, executor: Executor) -> Iterator[bytes]:
    """The same with a user's executor. Raises PeerError where the executor breaks; rows that are written stay written."""
    try:
        yield from _in_order((executor.submit(lines_of, task, methods, seconds) for task in tasks), os.cpu_count() or 1)
    except BrokenExecutor as broken:
        raise PeerError(f"the executor has broken ({broken}); resume=True goes on where the results end") from broken


def by_dask(tasks: Iterable[SweepTask], methods: Sequence[str], seconds: float, address: str) -> Iterator[bytes]:
    """The same on a Dask cluster. Dask gives the tasks of a lost worker to another; a task that ends worker after worker is one
    row.

    Raises MissingExtra without Dask, and PeerError where the cluster cannot be reached, is gone, or has no adlab.
    """
    try:
        import distributed
    except ImportError:
        raise MissingExtra("Dask is not installed: pip install 'adlab[dask]'") from None
    try:
        client = distributed.Client(address, set_as_default=False)
    except (OSError, ValueError) as reason:
        raise PeerError(f"no Dask cluster answers at {address}: {reason}") from reason
    with client:
        threads = sum(client.nthreads().values()) or os.cpu_count() or 1
        given = (_Given(task, client.submit(lines_of, task, tuple(methods), seconds, pure=False)) for task in tasks)
        try:
            yield from _in_order(given, threads)
        except (OSError, ImportError, CancelledError) as gone:
            raise PeerError(f"the Dask cluster at {address} is gone, or its workers have no adlab ({gone}); resume=True goes on "
                            "where the results end") from gone  # fmt: skip


@dataclass
class _Given:
    """A task that a Dask cluster has."""

    task: SweepTask
    future: Any

    def result(self) -> bytes:
        from distributed import KilledWorker

        try:
            return bytes(self.future.result())
        except KilledWorker:
            return _lost(self.task, "its process ended, on one worker after another")
        finally:
            self.future.release()


def _lost(task: SweepTask, how: str) -> bytes:
    """The one row of a task that ended its process."""
    return written_rows(numbered(task, [row_without(GaveUp(how), "lost")]))


class _Answer(Protocol):
    def result(self) -> bytes: ...


def _in_order(futures: Iterator[_Answer], workers: int) -> Iterator[bytes]:
    """Results in the order of the tasks. So many tasks run at once that every worker is busy."""
    waiting: deque[_Answer] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= AHEAD * workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def main() -> None:
    """The process: reads the file of formulas, then one task on a line, and answers with the rows of each."""
    from adlab.audit.reading import read

    path, methods, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is not an answer
    entries: Sequence[Entry] = read(path)
    for line in sys.stdin:
        number, index, point = json.loads(line)
        found = lines_of(SweepTask(number, index, entries[index], None if point is None else tuple(point)), methods, seconds)
        print(found.decode().replace("\n", _BETWEEN), file=answers, flush=True)
