"""The machine code that is kept on disk: private, whole or not at all, never trusted, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import adlab
from adlab.compile.llvm import store

IMAGE = bytes(range(256)) * 20

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing is kept on this system")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "adlab"


def made_anew(name: str = "a.o") -> bool:
    """Whether the object has to be made; it is the right one in any case."""
    calls = []
    assert store.kept(name, lambda: calls.append(1) or IMAGE) == IMAGE
    return bool(calls)


def test_it_is_made_once(folder: Path) -> None:
    assert made_anew()
    assert not made_anew()
    assert [file.name for file in folder.iterdir()] == ["a.o"]
    assert (folder.stat().st_mode & 0o777, (folder / "a.o").stat().st_mode & 0o777) == (0o700, 0o600)


DAMAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "a plain object, as kept before there was a header": lambda file: file.write_bytes(IMAGE),
    "truncated in the header": lambda file: file.write_bytes(file.read_bytes()[:20]),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "too long": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "another's name": lambda file: (made_anew("b.o"), os.replace(file.parent / "b.o", file)),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "a link": lambda file: (file.rename(file.parent / "elsewhere"), file.symlink_to("elsewhere")),
    "a link to nothing": lambda file: (file.unlink(), file.symlink_to("nowhere")),
    "writable by others": lambda file: file.chmod(0o622),
    "a device without end": lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_made_again(folder: Path, damage) -> None:
    made_anew()
    damage(folder / "a.o")
    assert made_anew()
    assert not made_anew()


def test_any_flipped_bit_is_noticed(folder: Path) -> None:
    made_anew()
    content = (folder / "a.o").read_bytes()
    for at in range(0, len(content), 7):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        (folder / "a.o").write_bytes(changed)
        assert store.read("a.o") is None


def test_a_folder_in_the_place_of_the_file_is_no_hindrance(folder: Path) -> None:
    (folder / "a.o").mkdir(parents=True)
    folder.chmod(0o700)
    assert made_anew()
    assert made_anew()
    assert [file.name for file in folder.iterdir()] == ["a.o"]  # no draft is left


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(folder: Path, mode: int) -> None:
    made_anew()
    folder.chmod(mode)
    assert store.read("a.o") is None
    assert made_anew()


def test_a_linked_folder_is_not_used(folder: Path, tmp_path: Path) -> None:
    made_anew()
    folder.rename(tmp_path / "real")
    folder.symlink_to("real")
    assert made_anew()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["", "a.o"], ids=["folder", "file"])
def test_what_belongs_to_another_is_not_used(folder: Path, what: str) -> None:
    made_anew()
    os.chown(folder / what, 12345, 12345)
    assert store.read("a.o") is None
    assert made_anew()


def test_a_relative_cache_directory_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.folder() == tmp_path / ".cache" / "adlab"


@pytest.mark.parametrize("home", ["~", "here"], ids=["none", "relative"])
def test_nothing_is_kept_for_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    monkeypatch.chdir(tmp_path)
    assert made_anew()
    assert made_anew()
    assert not list(tmp_path.iterdir())


def test_an_object_on_a_disk_that_cannot_be_written_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(file: int) -> None:
        raise OSError(30, "Read-only file system")

    made_anew()
    monkeypatch.setattr(os, "utime", refused)
    assert not made_anew()


def test_an_interrupt_leaves_no_draft(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made_anew()
    assert not list(folder.iterdir())


def test_a_place_where_nothing_can_be_written_is_no_hindrance(folder: Path) -> None:
    folder.write_text("a file")
    assert made_anew()


def test_a_damaged_cache_does_not_change_a_program(folder: Path) -> None:
    pytest.importorskip("llvmlite")
    code = "import adlab; print(adlab.Function('sin(x)*x').compile('llvm', 'gradient')([1.0]))"

    def run() -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
        return done.stdout

    first = run()
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 8
        file.write_bytes(content)
    assert run() == first


def test_what_is_made_quickly_is_not_kept(folder: Path) -> None:
    assert store.kept("a.o", lambda: IMAGE, long=10.0) == IMAGE
    assert not folder.exists()


def test_what_was_used_longest_ago_makes_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, name in enumerate(["a.o", "b.o", "c.o"]):
        made_anew(name)
        os.utime(folder / name, (1e9 - age, 1e9 - age))
    assert not made_anew("c.o")  # is the newest from now on
    monkeypatch.setattr(store, "ROOM", 3 * (folder / "a.o").stat().st_size)
    made_anew("d.o")
    assert sorted(os.listdir(folder)) == ["a.o", "c.o", "d.o"]


def test_a_program_that_took_long_is_read_back_and_computes_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    from adlab.compile.llvm import engine

    monkeypatch.setattr(engine, "LONG", 0.0)
    f = adlab.Function("x*exp(-y) + sin(x*y)")
    first = f.compile("llvm", "gradient").call(0.3, 0.7)
    monkeypatch.setattr(engine, "compiled", lambda *_: pytest.fail("it is compiled again"))
    assert f.compile("llvm", "gradient").call(0.3, 0.7) == first
    another = adlab.Function("x*exp(-y) + cos(x*y)")
    with pytest.raises(pytest.fail.Exception):
        another.compile("llvm", "gradient").call(0.3, 0.7)
