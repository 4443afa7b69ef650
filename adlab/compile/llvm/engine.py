"""The machine: its vector width, the functions it has, and objects compiled for it."""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import itertools
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from adlab.compile.llvm import store
from adlab.compile.llvm.forms import FUNCTIONS
from adlab.compile.llvm.text import Externals, Registers
from adlab.primitives.table import PRIMITIVES

_names = itertools.count()


OPTIONS: dict[str, Any] = {"opt": 2, "reloc": "pic", "codemodel": "small"}
"""Constants are read relative to the code. The large code model, which such compilers use by default, does not do that."""
LONG = 0.05
"""Seconds of compiling, from which on the object is kept. To read it back takes some milliseconds."""


@dataclass(frozen=True)
class Machine:
    """The machine that programs are compiled for."""

    target: Any
    registers: Registers


# How glibc's libmvec names functions: the letter of the instruction set and the number of lanes.
_LEVELS = [("avx512f", "e", 8), ("avx2", "d", 4), ("avx", "c", 4), ("sse2", "b", 2)]


@cache
def machine() -> Machine:
    """This machine."""
    target, features = _target(**OPTIONS), llvm.get_host_cpu_features()
    fused = bool(features.get("fma"))
    for feature, letter, width in _LEVELS:
        if features.get(feature):
            prefix = f"_ZGV{letter}N{width}"
            return Machine(target, Registers(width, prefix, frozenset(_vector_functions(prefix)), fused))
    return Machine(target, Registers(2))


@cache
def _target(**options: Any) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), jit=True, **options
    )


def _vector_functions(prefix: str) -> list[str]:
    """The functions of the C library, among those that programs call, that glibc has for vectors."""
    library = _library("libmvec.so.1")
    called = {name: ufunc.nin for ufunc, name in FUNCTIONS.items()} | {"cosh": 1}
    called |= {primitive.c: primitive.arity for primitive in PRIMITIVES.values() if primitive.c}
    return [name for name, count in called.items() if _address(library, f"{prefix}{'v' * count}_{name}")]


def _library(name: str | None) -> Any:
    try:
        return ctypes.CDLL(name) if name else None
    except OSError:
        return None


@cache
def _libraries() -> list[Any]:
    return [_library(ctypes.util.find_library("m") or "libm.so.6"), _library("libmvec.so.1"), ctypes.pythonapi]


def _address(library: Any, name: str) -> int | None:
    try:
        return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    except AttributeError:
        return None


def address_of(name: str) -> int:
    """The address of a function of libm, libmvec or Python."""
    for library in _libraries():
        if library is not None and (found := _address(library, name)):
            return found
    raise LookupError(name)


@cache
def _jit() -> Any:
    # JITLink keeps an object's sections together. The older linker maps them one by one. In a crowded address space they may
    # then be beyond
    # the 2 GiB that the small code model reaches, and the process aborts.
    return llvm.create_lljit_compiler(machine().target, use_jit_link=True)


def compiled(text: str, externals: Externals, soon: bool = False, packed: bool = False) -> bytes:
    """Object code for a module.

    `soon`: LLVM neither reorders instructions nor searches for the best registers. That takes most of its time.
    `packed`: where several numbers are computed alike, LLVM computes them in one vector. That takes as long again, or more.
    """
    module = llvm.parse_assembly(_whole(text, externals))
    target = _target(**OPTIONS | {"opt": 0}) if soon else machine().target
    if packed:
        module.triple, module.data_layout = target.triple, str(target.target_data)
        options = llvm.create_pipeline_tuning_options(speed_level=1)
        options.slp_vectorization, options.loop_vectorization, options.loop_unrolling = True, False, False
        builder = llvm.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
    return bytes(target.emit_object(module))


def _whole(text: str, externals: Externals) -> str:
    return "\n".join([*externals.declarations.values(), *externals.definitions.values(), text])


def program(text: str, externals: Externals, exports: list[str], soon: bool = False, packed: bool = False) -> Any:
    """`loaded`, for the program of a formula. Where compiling takes long, its object is kept on disk for the next process."""
    def make() -> bytes:
        return compiled(text, externals, soon, packed)

    if any(name.startswith("adlab_") for name in externals.addresses):  # calls Python back, by an address of this process
        return loaded(make(), externals, exports)
    name = _file_name(f"{soon} {packed}\n{_whole(text, externals)}")
    return loaded(store.kept(name, make, LONG) if store.programs else make(), externals, exports)


def loaded(image: bytes, externals: Externals, exports: list[str]) -> Any:
    """The object, linked and placed in memory. `loaded(…)[name]` is an address, valid while the result lives."""
    library = llvm.JITLibraryBuilder().add_object_img(image)
    for name in externals.declarations:
        if not name.startswith("llvm."):
            library.import_symbol(name, externals.addresses.get(name) or address_of(name))
    for name in exports:
        library.export_symbol(name)
    return library.link(_jit(), f"adlab{next(_names)}")


def cached_library(text: str, externals: Externals, exports: list[str]) -> Any:
    """`loaded`, for text that never changes. Its object is kept in the user's cache directory (`store`)."""
    return loaded(store.kept(_file_name(text), lambda: compiled(text, externals)), externals, exports)


def _file_name(text: str) -> str:
    """A file name for each text, machine, and version of Python and LLVM."""
    key = "\n".join([text, repr(OPTIONS), machine().target.triple, llvm.get_host_cpu_name(),
                     llvm.get_host_cpu_features().flatten(), sys.version, llvmlite.__version__])  # fmt: skip
    return f"{hashlib.sha256(key.encode()).hexdigest()}.o"
