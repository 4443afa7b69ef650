"""Runs the tasks of a sweep: in processes of adlab's own, in an `Executor`, or on a Dask cluster. Results come in order."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Any, Protocol

from adlab.audit.corpus import Entry
from adlab.audit.task import SweepTask, lines_of, numbered, row_without, written_rows
from adlab.errors import GaveUp, MissingExtra, PeerError
from adlab.process import Worker

BATCH = 16
"""Tasks that are handed out at once. A task takes milliseconds, and handing it out some tenths of one."""
AHEAD = 16
"""The number of batches by which a worker may be ahead, so that a slow formula does not delay the others for long."""
GRACE = 4.0
"""A task is killed after so many times the seconds that its truth and each method may take.

They watch the clock themselves. Only what cannot do so must be killed.
"""
_START = 30.0
"""Seconds that a new process may take to import everything."""
_BETWEEN = "\x1e"
"""What stands between the rows of an answer, which is one line. JSON has no such sign."""
_FLUSH = 0.05
"""Seconds after which a process sends the answers that it has: whoever collects them wakes up a few times a second."""

Batch = Sequence[SweepTask]
Done = tuple[int, bytes]
"""A number of tasks, with the rows of them all."""


def batches(tasks: Iterable[SweepTask], count: int, workers: int) -> Iterator[Batch]:
    """The tasks, `count` of them, in batches. There are several batches for each worker, so that all are busy to the end.

    >>> [len(batch) for batch in batches(range(100), 100, 2)]
    [12, 12, 12, 12, 12, 12, 12, 12, 4]
    """
    size = max(1, min(BATCH, count // (4 * max(workers, 1))))
    waiting = iter(tasks)
    while batch := list(islice(waiting, size)):
        yield batch


def lines_of_all(batch: Batch, methods: Sequence[str], seconds: float) -> Done:
    """The rows of a batch, computed here."""
    return len(batch), b"".join(lines_of(task, methods, seconds) for task in batch)


def by_processes(
    tasks: Iterable[SweepTask], count: int, methods: Sequence[str], seconds: float, path: str, workers: int
) -> Iterator[Done]:
    """The rows of all tasks, `count` of them, in order, from `workers` processes.

    A task that kills its process, or hangs, is one row.
    """
    idle: SimpleQueue[Worker] = SimpleQueue()
    crew = [Worker("adlab.audit.crew", path, json.dumps(list(methods)), repr(seconds)) for _ in range(workers)]
    for worker in crew:
        idle.put(worker)

    def asked(worker: Worker, batch: Batch) -> list[bytes]:
        question = json.dumps([[task.number, task.index, task.point] for task in batch])
        found = worker.answers(question, len(batch), GRACE * seconds + _START)
        return [answer.replace(_BETWEEN, "\n").encode() for answer in found]

    def done(batch: Batch) -> Done:
        worker = idle.get()
        try:
            found = asked(worker, batch)
            for task in batch[len(found) :]:  # the worker is lost: which of these ended it is found one by one
                found += (asked(worker, [task]) if len(batch) > 1 else []) or [_lost(task, worker.how)]
            return len(batch), b"".join(found)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(workers)
    try:
        yield from _in_order((threads.submit(done, batch) for batch in batches(tasks, count, workers)), workers)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in crew:
            worker.kill()
        threads.shutdown(wait=True)
        for worker in crew:
            worker.close()


def by_executor(
    tasks: Iterable[SweepTask], count: int, methods: Sequence[str], seconds: float, executor: Executor
) -> Iterator[Done]:
    """The same with a user's executor. Raises PeerError where the executor breaks; rows that are written stay written."""
    workers = os.cpu_count() or 1
    given = (executor.submit(lines_of_all, batch, methods, seconds) for batch in batches(tasks, count, workers))
    try:
        yield from _in_order(given, workers)
    except BrokenExecutor as broken:
        raise PeerError(f"the executor has broken ({broken}); resume=True goes on where the results end") from broken


def by_dask(tasks: Iterable[SweepTask], count: int, methods: Sequence[str], seconds: float, address: str) -> Iterator[Done]:
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

        def given(batch: Batch) -> _Given:
            return _Given(batch, client.submit(lines_of_all, batch, tuple(methods), seconds, pure=False), given)

        try:
            yield from _in_order(map(given, batches(tasks, count, threads)), threads)
        except (OSError, ImportError, CancelledError) as gone:
            raise PeerError(f"the Dask cluster at {address} is gone, or its workers have no adlab ({gone}); resume=True goes on "
                            "where the results end") from gone  # fmt: skip


@dataclass
class _Given:
    """A batch that a Dask cluster has. Of one that ends worker after worker, each task is given alone."""

    batch: Batch
    future: Any
    again: Callable[[Batch], _Given]

    def result(self) -> Done:
        from distributed import KilledWorker

        try:
            count, lines = self.future.result()
            return count, bytes(lines)
        except KilledWorker:
            if len(self.batch) == 1:
                return 1, _lost(self.batch[0], "its process ended, on one worker after another")
            return len(self.batch), b"".join(self.again([task]).result()[1] for task in self.batch)
        finally:
            self.future.release()


def _lost(task: SweepTask, how: str) -> bytes:
    """The one row of a task that ended its process."""
    return written_rows(numbered(task, [row_without(GaveUp(how), "lost")]))


class _Answer(Protocol):
    def result(self) -> Done: ...


def _in_order(futures: Iterator[_Answer], workers: int) -> Iterator[Done]:
    """Results in the order of the batches. So many run at once that every worker is busy."""
    waiting: deque[_Answer] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= AHEAD * workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def main() -> None:
    """The process: reads the file of formulas, then a batch of tasks on a line, and answers with a line for each task."""
    from adlab.audit.reading import read

    path, methods, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is not an answer
    entries: Sequence[Entry] = read(path)
    for line in sys.stdin:
        sent = time.monotonic()
        for number, index, point in json.loads(line):
            found = lines_of(SweepTask(number, index, entries[index], None if point is None else tuple(point)), methods, seconds)
            print(found.decode().replace("\n", _BETWEEN), file=answers)
            if time.monotonic() > sent + _FLUSH:
                answers.flush()
                sent = time.monotonic()
        answers.flush()
