"""The entry from Python into a kernel: C functions that Python calls like its own, without ctypes.

They are written once, in IR against Python's C API, and serve every kernel. What they call, and on which data, is in the bytes
that are their `self`. A call takes about 50 ns; with ctypes it takes 300.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.compile.llvm.engine import cached_library
from adlab.compile.llvm.text import Externals

FloatArray = npt.NDArray[np.float64]

_API = {
    "PyBytes_AsString": "ptr (ptr)",
    "PyTuple_GetItem": "ptr (ptr, i64)",
    "PyTuple_New": "ptr (i64)",
    "PyTuple_SetItem": "i32 (ptr, i64, ptr)",
    "PyFloat_AsDouble": "double (ptr)",
    "PyFloat_FromDouble": "ptr (double)",
    "PyErr_Occurred": "ptr ()",
    "PyErr_Format": "ptr (ptr, ptr, ...)",
    "PyMem_Malloc": "ptr (i64)",
    "PyMem_Free": "void (ptr)",
    "Py_IncRef": "void (ptr)",
}
_SMALL = 1024  # doubles that are kept on the stack

# self is the tuple (bytes, what must live as long). The bytes of `call`: kernel, inputs, outputs, context.
_TEXT = f"""
@TypeErrorText = private constant [43 x i8] c"the program takes %zd numbers, and got %zd\\00"
@PyExc_TypeError = external global ptr
@_Py_NoneStruct = external global i8

define ptr @call(ptr %self, ptr %given, i64 %count) nounwind {{
entry:
  %held = call ptr @PyTuple_GetItem(ptr %self, i64 0)
  %task = call ptr @PyBytes_AsString(ptr %held)
  %kernel = load ptr, ptr %task
  %np = getelementptr i64, ptr %task, i64 1
  %n = load i64, ptr %np
  %mp = getelementptr i64, ptr %task, i64 2
  %m = load i64, ptr %mp
  %cp = getelementptr i64, ptr %task, i64 3
  %context = load ptr, ptr %cp
  %fits = icmp eq i64 %count, %n
  br i1 %fits, label %space, label %misfit
misfit:
  %kind = load ptr, ptr @PyExc_TypeError
  call ptr (ptr, ptr, ...) @PyErr_Format(ptr %kind, ptr @TypeErrorText, i64 %n, i64 %count)
  ret ptr null
space:
  %numbers = add i64 %n, %m
  %small = icmp ule i64 %numbers, {_SMALL}
  br i1 %small, label %stack, label %heap
stack:
  %local = alloca double, i64 %numbers
  br label %ready
heap:
  %bytes = mul i64 %numbers, 8
  %far = call ptr @PyMem_Malloc(i64 %bytes)
  br label %ready
ready:
  %x = phi ptr [ %local, %stack ], [ %far, %heap ]
  %out = getelementptr double, ptr %x, i64 %n
  %none = icmp eq i64 %n, 0
  br i1 %none, label %run, label %read
read:
  %i = phi i64 [ 0, %ready ], [ %i1, %stored ]
  %ap = getelementptr ptr, ptr %given, i64 %i
  %a = load ptr, ptr %ap
  %v = call double @PyFloat_AsDouble(ptr %a)
  %odd = fcmp oeq double %v, -1.0
  br i1 %odd, label %doubt, label %stored
doubt:
  %error = call ptr @PyErr_Occurred()
  %fine = icmp eq ptr %error, null
  br i1 %fine, label %stored, label %failed
stored:
  %xp = getelementptr double, ptr %x, i64 %i
  store double %v, ptr %xp
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %n
  br i1 %more, label %read, label %run
run:
  call void %kernel(ptr %x, ptr %out, i64 1, ptr %context)
  %tuple = call ptr @PyTuple_New(i64 %m)
  br label %write
write:
  %k = phi i64 [ 0, %run ], [ %k1, %write ]
  %op = getelementptr double, ptr %out, i64 %k
  %r = load double, ptr %op
  %boxed = call ptr @PyFloat_FromDouble(double %r)
  %ignored = call i32 @PyTuple_SetItem(ptr %tuple, i64 %k, ptr %boxed)
  %k1 = add i64 %k, 1
  %again = icmp slt i64 %k1, %m
  br i1 %again, label %write, label %finished
failed:
  br label %finished
finished:
  %result = phi ptr [ %tuple, %write ], [ null, %failed ]
  br i1 %small, label %done, label %release
release:
  call void @PyMem_Free(ptr %x)
  br label %done
done:
  ret ptr %result
}}

; the bytes of `step`: kernel, x, out, points, context
define ptr @step(ptr %self, ptr %nothing) nounwind {{
  %held = call ptr @PyTuple_GetItem(ptr %self, i64 0)
  %task = call ptr @PyBytes_AsString(ptr %held)
  %kernel = load ptr, ptr %task
  %xp = getelementptr i64, ptr %task, i64 1
  %x = load ptr, ptr %xp
  %op = getelementptr i64, ptr %task, i64 2
  %out = load ptr, ptr %op
  %np = getelementptr i64, ptr %task, i64 3
  %n = load i64, ptr %np
  %cp = getelementptr i64, ptr %task, i64 4
  %context = load ptr, ptr %cp
  call void %kernel(ptr %x, ptr %out, i64 %n, ptr %context)
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}}
"""
_METH_FASTCALL, _METH_NOARGS = 0x80, 0x04


class _MethodDef(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("doc", ctypes.c_char_p))  # fmt: skip


def _externals() -> Externals:
    externals = Externals()
    for name, kind in _API.items():
        result, operands = kind.split(" ", 1)
        externals.declarations[name] = f"declare {result} @{name}{operands}"
    for name in ("PyExc_TypeError", "_Py_NoneStruct"):
        externals.addresses[name] = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))
    return externals


@cache
def _methods() -> tuple[Any, _MethodDef, _MethodDef]:
    """The library, which must stay alive, and what Python needs to know of each function."""
    library = cached_library(_TEXT, _externals(), ["call", "step"])
    call = _MethodDef(b"program", library["call"], _METH_FASTCALL, b"floats in, tuple of floats out")
    step = _MethodDef(b"step", library["step"], _METH_NOARGS, b"from the bound buffer to the bound buffer")
    return library, call, step


_new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_MethodDef), ctypes.py_object, ctypes.c_void_p)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)


def call_entry(kernel: int, n: int, m: int, owner: object, context: int = 0) -> Callable[..., tuple[float, ...]]:
    """n numbers in, the tuple of m floats out. Raises TypeError for anything else. Keeps `owner` alive."""
    _, method, _ = _methods()
    made: Callable[..., tuple[float, ...]] = _new(method, (struct.pack("4q", kernel, n, m, context), owner), None)
    return made


def step_entry(
    kernel: int, x: FloatArray, out: FloatArray, owner: object, context: int = 0
) -> Callable[[], None]:
    """Takes no arguments: runs the kernel from `x` to `out`. Keeps both, and `owner`, alive."""
    _, _, method = _methods()
    task = struct.pack("5q", kernel, x.ctypes.data, out.ctypes.data, len(x), context)
    made: Callable[[], None] = _new(method, (task, x, out, owner), None)
    return made
