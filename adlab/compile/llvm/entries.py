"""The entry from Python into a kernel: C functions that Python calls like its own, without ctypes.

They are written once, in IR against Python's C API, and serve every kernel. What they call, and on which data, is in the bytes
that are their `self`. A call takes about 50 ns; with ctypes it takes 300.

They also watch the kernel. The processor's flags of overflow and underflow are cleared before it and read after it, and the
results are looked through for infinities and NaNs. Where one is found, the Python function `mend` is called.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic import flags
from adlab.compile.llvm.engine import cached_library
from adlab.compile.llvm.pieces import PIECES, piece
from adlab.compile.llvm.raised import BY_LIBRARY, BY_REGISTER, UNKNOWN
from adlab.compile.llvm.stream import STREAMED
from adlab.compile.llvm.text import Externals

FloatArray = npt.NDArray[np.float64]
Row = tuple[float, ...]

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
    "PyMem_RawMalloc": "ptr (i64)",
    "PyMem_RawFree": "void (ptr)",
    "Py_IncRef": "void (ptr)",
    "Py_DecRef": "void (ptr)",
    "PyEval_SaveThread": "ptr ()",
    "PyEval_RestoreThread": "void (ptr)",
    "PyObject_CallFunctionObjArgs": "ptr (ptr, ...)",
}
_SMALL = 1024  # doubles that are kept on the stack
_ALONE = 256  # points; more are computed without Python's lock, so that other threads run. To let go of it takes some 50 ns.

# self is the tuple (bytes, whatever must live as long, mend or None); the bytes of `call`: kernel, inputs, outputs, context.
_TEXT = f"""
@TypeErrorText = private constant [43 x i8] c"the program takes %zd numbers, and got %zd\\00"
@PyExc_TypeError = external global ptr
@_Py_NoneStruct = external global i8
@_Py_TrueStruct = external global i8
@_Py_FalseStruct = external global i8

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
  %mend = call ptr @PyTuple_GetItem(ptr %self, i64 2)
  %unwatched = icmp eq ptr %mend, @_Py_NoneStruct
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
  call void @clear()
  call void %kernel(ptr %x, ptr %out, i64 1, ptr %context)
  %alarm = call i1 @raised()
  %tuple = call ptr @PyTuple_New(i64 %m)
  br label %write
write:
  %k = phi i64 [ 0, %run ], [ %k1, %write ]
  %sum = phi double [ 0.0, %run ], [ %sum1, %write ]
  %op = getelementptr double, ptr %out, i64 %k
  %r = load double, ptr %op
  %nought = fsub double %r, %r
  %sum1 = fadd double %sum, %nought
  %boxed = call ptr @PyFloat_FromDouble(double %r)
  %ignored = call i32 @PyTuple_SetItem(ptr %tuple, i64 %k, ptr %boxed)
  %k1 = add i64 %k, 1
  %again = icmp slt i64 %k1, %m
  br i1 %again, label %write, label %judge
judge:
  %infinite = fcmp uno double %sum1, 0.0
  %spoiled = or i1 %alarm, %infinite
  %good = xor i1 %spoiled, true
  %leave = or i1 %good, %unwatched
  br i1 %leave, label %finished, label %doubtful
doubtful:
  %point = call ptr @PyTuple_New(i64 %n)
  %empty = icmp eq i64 %n, 0
  br i1 %empty, label %ask, label %box
box:
  %b = phi i64 [ 0, %doubtful ], [ %b1, %box ]
  %bp = getelementptr double, ptr %x, i64 %b
  %bv = load double, ptr %bp
  %bx = call ptr @PyFloat_FromDouble(double %bv)
  %ignoredb = call i32 @PyTuple_SetItem(ptr %point, i64 %b, ptr %bx)
  %b1 = add i64 %b, 1
  %bmore = icmp slt i64 %b1, %n
  br i1 %bmore, label %box, label %ask
ask:
  %better = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %mend, ptr %point, ptr %tuple, ptr null)
  call void @Py_DecRef(ptr %point)
  call void @Py_DecRef(ptr %tuple)
  br label %finished
failed:
  br label %finished
finished:
  %result = phi ptr [ %tuple, %judge ], [ %better, %ask ], [ null, %failed ]
  br i1 %small, label %done, label %release
release:
  call void @PyMem_Free(ptr %x)
  br label %done
done:
  ret ptr %result
}}

; the bytes of `step`: kernel, x, out, points, context, numbers of a point in x and in out, points of a piece, bytes of a buffer
define ptr @step(ptr %self, ptr %nothing) nounwind {{
entry:
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
  %rp = getelementptr i64, ptr %task, i64 6
  %found = load i64, ptr %rp
  %length = mul i64 %n, %found
  %sp = getelementptr i64, ptr %task, i64 7
  %most = load i64, ptr %sp
  %several = icmp sgt i64 %n, %most
  %mend = call ptr @PyTuple_GetItem(ptr %self, i64 2)
  %unwatched = icmp eq ptr %mend, @_Py_NoneStruct
  %large = icmp sgt i64 %n, {_ALONE}
  br i1 %large, label %release, label %run
release:
  %saved = call ptr @PyEval_SaveThread()
  br label %run
run:
  %thread = phi ptr [ null, %entry ], [ %saved, %release ]
  call void @clear()
  br i1 %several, label %pieces, label %whole
pieces:
  %told0 = xor i1 %unwatched, true
  %each = call i1 @in_pieces(ptr %task, i1 %told0)
  br label %judge
whole:
  call void %kernel(ptr %x, ptr %out, i64 %n, ptr %context)
  br i1 %unwatched, label %judge, label %look
look:
  %good = call i1 @finite(ptr %out, i64 %length)
  br label %judge
judge:
  %clean1 = phi i1 [ true, %whole ], [ %good, %look ], [ %each, %pieces ]
  %alarm = call i1 @raised()
  %bad = xor i1 %clean1, true
  %either = or i1 %alarm, %bad
  %spoiled = select i1 %unwatched, i1 false, i1 %either
  br i1 %large, label %resume, label %decide
resume:
  call void @PyEval_RestoreThread(ptr %thread)
  br label %decide
decide:
  br i1 %spoiled, label %ask, label %fine
ask:
  %told = select i1 %alarm, ptr @_Py_TrueStruct, ptr @_Py_FalseStruct
  %answer = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %mend, ptr %told, ptr null)
  %failed = icmp eq ptr %answer, null
  br i1 %failed, label %error, label %answered
answered:
  call void @Py_DecRef(ptr %answer)
  br label %fine
fine:
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
error:
  ret ptr null
}}

"""
_METH_FASTCALL, _METH_NOARGS = 0x80, 0x04  # flags of Python's C interface, from methodobject.h


class _MethodDef(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("doc", ctypes.c_char_p))  # fmt: skip


def _externals() -> Externals:
    externals = Externals()
    for name, kind in _API.items():
        result, operands = kind.split(" ", 1)
        externals.declarations[name] = f"declare {result} @{name}{operands}"
    for name in ("PyExc_TypeError", "_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct"):
        externals.addresses[name] = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))
    if _flags() is not BY_REGISTER and flags.known:
        for name in ("feclearexcept", "fetestexcept"):
            externals.declarations[name] = f"declare i32 @{name}(i32)"
    return externals


@cache
def _flags() -> str:
    """How this machine's flags are cleared and read: the text of `@clear` and `@raised`."""
    if platform.machine() in ("x86_64", "AMD64"):
        return BY_REGISTER
    if flags.known:
        everything, range_ = flags.MASKS[platform.machine()]
        return BY_LIBRARY.format(everything=everything, range=range_)
    return UNKNOWN


@cache
def _methods() -> tuple[Any, _MethodDef, _MethodDef]:
    """The library, which must stay alive, and what Python needs to know of each function."""
    library = cached_library(_TEXT + PIECES + STREAMED + _flags(), _externals(), ["call", "step"])
    call = _MethodDef(b"program", library["call"], _METH_FASTCALL, b"floats in, tuple of floats out")
    step = _MethodDef(b"step", library["step"], _METH_NOARGS, b"from the bound buffer to the bound buffer")
    return library, call, step


_new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_MethodDef), ctypes.py_object, ctypes.c_void_p)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)


def call_entry(
    kernel: int, n: int, m: int, owner: object, context: int = 0, mend: Callable[[Row, Row], Row] | None = None
) -> Callable[..., Row]:
    """n numbers in, the tuple of m floats out. Raises TypeError for anything else. Keeps `owner` alive.

    `mend(point, found)` gives what is returned where the kernel has left binary64's range, or found no finite number.
    """
    _, method, _ = _methods()
    made: Callable[..., Row] = _new(method, (struct.pack("4q", kernel, n, m, context), owner, mend), None)
    return made


def step_entry(
    kernel: int, x: FloatArray, out: FloatArray, owner: object, context: int = 0, mend: Callable[[bool], object] | None = None,
    stream: bool = False
) -> Callable[[], None]:
    """Takes no arguments: runs the kernel from `x` to `out`. Keeps both, and `owner`, alive.

    `mend(alarmed)` is called where the kernel has left binary64's range (then `alarmed`), or not all results are finite.
    With `stream` the results go by way of a small buffer past the caches.
    """
    _, _, method = _methods()
    found = out.size // max(len(x), 1)
    most = piece(found, stream)
    buffer = 8 * most * found if stream else 0
    task = struct.pack("9q", kernel, x.ctypes.data, out.ctypes.data, len(x), context, x.shape[1], found, most, buffer)
    made: Callable[[], None] = _new(method, (task, (x, out, owner), mend), None)
    return made
