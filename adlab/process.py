"""Run something in a process that can be killed, with limits of time and memory.

All processes that adlab starts are started here. Each has a process group of its own. The group is killed when its time is
up, when the caller is interrupted, and when the work is done. So nothing is left running. A worker also watches the process
that started it. When that process is gone, for whatever reason, the worker ends its group.

A worker never imports from the current directory, nor from a directory that the environment names by a relative path only. A
`contextlib.py` that lies there is not Python's.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
"""The directory that holds the package adlab."""

_ONE_THREAD = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
_KEPT = ("PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONHASHSEED")
"""Settings of Python that a worker inherits. The others name files and folders that Python would run or search."""
_LAST_WORDS = 1.0
"""Seconds to wait for what a killed process has written. Its pipes close at once, unless a process that left its group
holds them open."""


@dataclass(frozen=True)
class Ended:
    """What a process wrote, and how it ended."""

    output: bytes
    complaint: bytes
    """What it wrote on standard error."""
    code: int
    """The exit code. Where a signal ended the process: the signal's number, negative."""
    late: bool
    """Whether it was killed because its time was up."""

    def how(self) -> str:
        """How it ended, in words.

        >>> Ended(b"", b"", 3, False).how()
        'exit code 3'
        """
        return _ending(self.code)

    def last_line(self) -> str:
        """The last line that it wrote on standard error; empty if it wrote none."""
        lines = self.complaint.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def run_module(
    module: str,
    *arguments: str,
    question: bytes = b"",
    seconds: float | None = None,
    memory: int | None = None,
    one_processor: bool = False,
    options: Sequence[str] = (),
) -> Ended:
    """Calls `main()` of a module in a new process, with `arguments` in sys.argv and `question` on standard input.

    After `seconds` of wall time the process is killed. `memory` limits its address space, in bytes, where the system
    can do that. With `one_processor` it never leaves one processor and uses one thread. `options` are Python's own.

    >>> run_module("json.tool", question=b"[1]").output.split()
    [b'[', b'1', b']']
    """
    here, watch = os.pipe() if os.name == "posix" else (None, None)
    limit = None if seconds is None else math.ceil(seconds) + 1
    code = f"{_LOAD}begin({limit}, {memory}, {here}, {[module, *arguments]!r})"
    try:
        return _run(code, options, question, seconds, one_processor, here)
    finally:
        for end in (here, watch):
            if end is not None:
                os.close(end)


_PIECE = 1 << 16
"""Bytes that are read at once: what a pipe holds."""


class Worker:
    """A process that answers questions, one line each, until it is closed. What hangs or dies is replaced.

    `main()` of the module reads a line of standard input and writes one line for it.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self.command = [module, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._pipes: tuple[int, int] | None = None

    def ask(self, question: str, seconds: float) -> str | None:
        """The answer, None where the worker died or was killed because `seconds` were over. `how` then says which."""
        return next(iter(self.answers(question, 1, seconds)), None)

    def answers(self, question: str, count: int, seconds: float) -> list[str]:
        """So many answers to a question, with at most `seconds` between them; fewer where the worker died or was killed."""
        process = self._process or self._start()
        late, found = False, bytearray()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
            known = 0
            while known < count:
                late = not select.select([process.stdout], [], [], seconds)[0]
                piece = b"" if late else os.read(process.stdout.fileno(), _PIECE)
                if not piece:
                    break
                known += piece.count(b"\n")
                found += piece
        except (BrokenPipeError, ValueError):  # the process has ended, and its pipe with it
            pass
        lines = found.decode().split("\n")[:-1]
        if len(lines) < count:
            self.close()
            self.how = f"no answer within {seconds:g} s" if late else f"its process ended by {_ending(process.returncode)}"
        return lines

    how = ""

    def kill(self) -> None:
        """Kills the process, if there is one. A thread that waits for its answer then gets None."""
        process = self._process
        if process is not None:
            _kill(process)

    def close(self) -> None:
        """Ends the process, if there is one. No other thread may be asking."""
        if self._process is not None:
            _kill(self._process)
            self._process.communicate()
            self._process = None
        if self._pipes is not None:
            for end in self._pipes:
                os.close(end)
            self._pipes = None

    def _start(self) -> subprocess.Popen[bytes]:
        self._pipes = os.pipe() if os.name == "posix" else None
        lifeline = None if self._pipes is None else self._pipes[0]
        self._process = _popen(f"{_LOAD}begin(None, None, {lifeline}, {self.command!r})", (), True, lifeline, subprocess.DEVNULL)
        return self._process


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def run_code(code: str, options: Sequence[str] = (), *, one_processor: bool = False) -> Ended:
    """Runs a line of Python in a new process. It can import what can be imported here."""
    return _run(code, options, b"", None, one_processor, None)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields the name of a temporary file in the same folder. When the block ends well, that file replaces `path`.

    An interrupted write leaves the old file, or none. What is not a regular file, such as /dev/stdout, is written directly.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield draft
        os.replace(draft, path.resolve() if path.is_symlink() else path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _run(
    code: str, options: Sequence[str], question: bytes, seconds: float | None, one_processor: bool, lifeline: int | None
) -> Ended:
    late = False
    with on_one_processor() if one_processor else contextlib.nullcontext():
        process = _popen(code, options, one_processor, lifeline)
    with process:
        try:
            output, complaint = process.communicate(question, timeout=seconds)
        except subprocess.TimeoutExpired:
            late = True
            _kill(process)
            output, complaint = _last_words(process)
        finally:  # also at an interrupt from the keyboard
            _kill(process)
    return Ended(output, complaint, process.returncode, late)


def _popen(
    code: str, options: Sequence[str], one_thread: bool, lifeline: int | None, complaint: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Python running a line of code, in a process group of its own. `complaint` says where its standard error goes."""
    command = [sys.executable, "-P", *options, "-c", f"import sys; sys.path += {_paths()!r}\n{code}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON") or key in _KEPT}
    return subprocess.Popen(
        command, env=environment | (_ONE_THREAD if one_thread else {}), start_new_session=True,
        pass_fds=() if lifeline is None else (lifeline,),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaint,
    )  # fmt: skip


def _last_words(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=_LAST_WORDS)
    except subprocess.TimeoutExpired as still:
        return still.stdout or b"", still.stderr or b""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kills the process and everything that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()


def _paths() -> list[str]:
    """The directories that this process imports from, without the current one. The worker searches them last."""
    return [path for path in dict.fromkeys(sys.path) if os.path.isabs(path) and not _is_here(path)]


def _is_here(path: str) -> bool:
    try:
        return os.path.samefile(path, os.curdir)
    except OSError:
        return False


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """What is started in this block runs on one processor: the last one that this process may use.

    A child process inherits the setting when it starts, and keeps it.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


# --- inside the worker ------------------------------------------------------------------------------------------

_LOAD = f"""
import importlib.util
place = importlib.util.spec_from_file_location("adlab", {str(HOME / "adlab" / "__init__.py")!r})
sys.modules["adlab"] = adlab = importlib.util.module_from_spec(place)
place.loader.exec_module(adlab)
from adlab.process import begin
"""
"""adlab is loaded by name from its own folder. The folder above may hold anything, so it is not searched."""


def begin(seconds: int | None, memory: int | None, lifeline: int | None, arguments: Sequence[str]) -> None:
    """Sets the limits of this process, then calls `main` of the module named first in `arguments`."""
    _limit(seconds, memory)
    if lifeline is not None:
        threading.Thread(target=_end_with_parent, args=[lifeline], daemon=True).start()
    sys.argv[:] = arguments
    sys.exit(importlib.import_module(arguments[0]).main())


def _limit(seconds: int | None, memory: int | None) -> None:
    """The kernel ends this process at its limits, even when no parent is left to do it. Not every system can do this."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        if seconds is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _end_with_parent(lifeline: int) -> None:
    """The other end of this pipe stays open while the parent lives. Nothing is ever written to it."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)
