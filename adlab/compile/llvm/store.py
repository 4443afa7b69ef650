"""Compiled objects on disk, in a folder that only this user can write.

The code in these files will be run, so nothing is trusted. The folder and the file must belong to this user, and nobody else
may be able to write them. A file holds a mark, its length, and a hash of its name and contents. If these do not agree, the file
is damaged and the object is compiled again. A file is written under another name, flushed to the disk, and then renamed: so a
reader sees all of it or nothing. Where any of this is impossible, nothing is kept, and the next process compiles again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MARK = b"adlab object 1\n"
LARGEST = 64 << 20
"""Bytes of the largest object that is read back. Most have some kilobytes, and a program of 10^5 operations a megabyte."""
ROOM = 128 << 20
"""Bytes of all objects. Those that were used longest ago make room for a new one."""
programs = True
"""Whether the programs of formulas are kept. The bench turns it off, to time what compiling takes."""


def kept(name: str, make: Callable[[], bytes], long: float = 0.0) -> bytes:
    """The object of that name. It is made if the folder has no intact one, and kept if making it took so many seconds.

    `name` contains everything that the object depends on, and is a plain file name.
    """
    found = read(name)
    if found is None:
        start = time.perf_counter()
        found = make()
        if time.perf_counter() - start >= long:
            write(name, found)
    return found


def folder() -> Path:
    """`adlab` in the user's cache directory: $XDG_CACHE_HOME where that is an absolute path, else ~/.cache.

    Raises OSError for a user without a home, as a container may have: nothing is kept in whatever directory this process is in.
    """
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(chosen) if os.path.isabs(chosen) else Path(os.path.expanduser("~"), ".cache")
    if not home.is_absolute():
        raise OSError("this user has no home")
    return home / "adlab"


def read(name: str) -> bytes | None:
    """The object; None where there is none, or none that can be trusted."""
    with contextlib.suppress(OSError), _opened_folder() as place:
        # Opening a pipe without O_NONBLOCK would wait for a writer.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
        with open(file, "rb") as stream:
            facts = os.fstat(file)
            if stat.S_ISREG(facts.st_mode) and _is_private(facts) and facts.st_size <= LARGEST:
                with contextlib.suppress(OSError):  # a disk that cannot be written
                    os.utime(file)  # tells when it was used
                return _unwrapped(name, stream.read(LARGEST))
    return None


def write(name: str, image: bytes) -> None:
    """Keeps the object, if that can be done safely."""
    with contextlib.suppress(OSError):
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened_folder() as place:
            _written(place, name, _wrapped(name, image))
            _make_room(place)


def _make_room(place: int) -> None:
    """Removes the objects that were used longest ago, if all of them take more than their room."""
    found = sorted(((os.stat(name, dir_fd=place, follow_symlinks=False), name) for name in os.listdir(place)),
                   key=lambda each: each[0].st_mtime, reverse=True)  # fmt: skip
    taken = 0
    for facts, name in found:
        taken += facts.st_size
        if taken > ROOM:
            os.unlink(name, dir_fd=place)


def _written(place: int, name: str, content: bytes) -> None:
    draft = f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=place)
    try:
        with open(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(file)
        os.rename(draft, name, src_dir_fd=place, dst_dir_fd=place)
    except BaseException:  # an interrupt from the keyboard leaves no draft behind either
        os.unlink(draft, dir_fd=place)
        raise


@contextlib.contextmanager
def _opened_folder() -> Iterator[int]:
    """The folder itself, opened, so that it cannot be replaced between a check and its use."""
    if os.open not in os.supports_dir_fd:
        raise OSError("this system cannot open a file relative to a folder")
    place = os.open(folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not _is_private(os.fstat(place)):
            raise OSError("the folder is not ours alone")
        yield place
    finally:
        os.close(place)


def _is_private(facts: os.stat_result) -> bool:
    return facts.st_uid == os.geteuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _wrapped(name: str, image: bytes) -> bytes:
    return MARK + len(image).to_bytes(8, "little") + _hash(name, image) + image


def _unwrapped(name: str, content: bytes) -> bytes | None:
    """The contents, if mark, length and hash agree."""
    start = len(MARK) + 8 + hashlib.sha256().digest_size
    image = content[start:]
    return image if content == _wrapped(name, image) else None


def _hash(name: str, image: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + image).digest()
