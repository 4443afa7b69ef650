"""What runs apart keeps its limits, ends with all it has started, and runs nobody else's files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from adlab.process import HOME, Ended, run_code, run_module

WITHIN = 20.0  # seconds that a process may take to be gone, on a busy machine


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a module of that text which workers can import."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def make(text: str) -> str:
        (folder / "errand.py").write_text(textwrap.dedent(text))
        return "errand"

    return make


def gone(pid: int) -> bool:
    """Whether the process ends within some time."""
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":  # it has ended, and nobody has asked how
            return True
        time.sleep(0.02)
    return False


def test_question_and_answer(module) -> None:
    name = module("""
        import sys
        def main():
            print(sys.argv[1:], sys.stdin.read())
            print("a complaint", file=sys.stderr)
            return 3
        """)
    ended = run_module(name, "a", "b", question=b"what?")
    assert ended == Ended(b"['a', 'b'] what?\n", b"a complaint\n", 3, False)
    assert (ended.how(), ended.last_line()) == ("exit code 3", "a complaint")


def test_time_is_limited_and_what_came_before_is_kept(module) -> None:
    name = module("""
        import time
        def main():
            print("so far", flush=True)
            time.sleep(1000)
        """)
    ended = run_module(name, seconds=2.0)
    assert (ended.late, ended.output, ended.how()) == (True, b"so far\n", "SIGKILL")


def test_memory_is_limited(module) -> None:
    ended = run_module(module("def main(): bytearray(2 << 30)"), memory=1 << 30)
    assert ended.last_line() == "MemoryError"


STARTS_ANOTHER = """
    import subprocess, sys, time
    def main():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        print(child.pid, flush=True)
        {}
    """


@pytest.mark.parametrize("then", ["time.sleep(1000)", "return"])
def test_descendants_end_with_the_work(module, then: str) -> None:
    ended = run_module(module(STARTS_ANOTHER.format(then)), seconds=3.0)
    assert ended.late  # where `main` returned, its child still held the pipe open
    assert gone(int(ended.output))


PARENT = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell starts with SIGINT ignored
    sys.path[:0] = {paths!r}
    from adlab.process import run_module
    run_module("errand")
    """


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_nothing_outlives_the_parent(module, tmp_path: Path, signum: signal.Signals) -> None:
    """Whatever ends the parent, the worker ends, and so does what the worker has started."""
    note = tmp_path / "pids"
    module(f"""
        import os, pathlib, subprocess, sys, time
        def main():
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
            pathlib.Path({str(note)!r} + "~").write_text(f"{{os.getpid()}} {{child.pid}}")
            os.rename({str(note)!r} + "~", {str(note)!r})
            time.sleep(1000)
        """)
    code = textwrap.dedent(PARENT.format(paths=[str(tmp_path / "modules"), str(HOME)]))
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as parent:
        until = time.monotonic() + WITHIN
        while not note.exists() and time.monotonic() < until:
            time.sleep(0.02)
        parent.send_signal(signum)
    assert all(gone(int(pid)) for pid in note.read_text().split())


LYING_ABOUT = ["contextlib", "sympy", "numpy", "json", "runpy", "adlab", "casadi", "threading"]


def test_what_lies_in_the_current_directory_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LYING_ABOUT:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'RUN')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(tmp_path)]))
    monkeypatch.setenv("PYTHONSTARTUP", "contextlib.py")
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    ended = run_module("adlab.symbolic.sympy_worker", question=b"null")
    assert "TypeError" in ended.last_line(), ended.complaint  # it came as far as reading the job
    assert run_code("import contextlib, json").code == 0
    assert not (tmp_path / "RUN").exists()


def test_the_end_of_a_process_in_words() -> None:
    assert Ended(b"", b"", -signal.SIGSEGV, False).how() == "SIGSEGV"
    assert Ended(b"", b"", 3, False).how() == "exit code 3"


def test_one_processor_and_one_thread(module) -> None:
    name = module("""
        import os
        def main():
            print(len(os.sched_getaffinity(0)), os.environ["OMP_NUM_THREADS"])
        """)
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("processors cannot be chosen here")
    before = os.sched_getaffinity(0)
    assert run_module(name, one_processor=True).output == b"1 1\n"
    assert os.sched_getaffinity(0) == before
