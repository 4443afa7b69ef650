"""A batch piece by piece, in IR: `@in_pieces` computes some points, then looks through their results, which are still near.

`@finite` is the look. With a buffer, a piece is computed there, and its results are streamed from it (`stream`).
"""

from __future__ import annotations

from adlab.compile.llvm.stream import NEAR

FIRST = 1 << 17
"""Bytes of results of a piece that is not streamed: they stay in a cache near by."""
TOGETHER = 32
"""Points: a piece holds a multiple, so that the same points as without pieces share a vector."""
SCANNED = 64
"""Results that are looked through at a time: several sums, since each waits for its own last addition."""
_VECTOR = f"<{SCANNED} x double>"


def piece(found: int, stream: bool) -> int:
    """The points of a piece, with so many results each."""
    return max(TOGETHER, (NEAR if stream else FIRST) // (8 * max(found, 1)) // TOGETHER * TOGETHER)


PIECES = f"""
define internal i1 @in_pieces(ptr %task, i1 %watched) noinline nounwind {{
entry:
  %kernel = load ptr, ptr %task
  %xp = getelementptr i64, ptr %task, i64 1
  %x = load ptr, ptr %xp
  %op = getelementptr i64, ptr %task, i64 2
  %out = load ptr, ptr %op
  %np = getelementptr i64, ptr %task, i64 3
  %n = load i64, ptr %np
  %cp = getelementptr i64, ptr %task, i64 4
  %context = load ptr, ptr %cp
  %ip = getelementptr i64, ptr %task, i64 5
  %given = load i64, ptr %ip
  %rp = getelementptr i64, ptr %task, i64 6
  %found = load i64, ptr %rp
  %sp = getelementptr i64, ptr %task, i64 7
  %most = load i64, ptr %sp
  %bp = getelementptr i64, ptr %task, i64 8
  %bytes = load i64, ptr %bp
  %stream = icmp ne i64 %bytes, 0
  br i1 %stream, label %reserve, label %begin
reserve:
  %buffer = call ptr @PyMem_RawMalloc(i64 %bytes)
  br label %begin
begin:
  %near = phi ptr [ null, %entry ], [ %buffer, %reserve ]
  %direct = icmp eq ptr %near, null
  br label %piece
piece:
  %p = phi i64 [ 0, %begin ], [ %p1, %next ]
  %clean = phi i1 [ true, %begin ], [ %clean1, %next ]
  %left = sub i64 %n, %p
  %size = call i64 @llvm.smin.i64(i64 %left, i64 %most)
  %xo = mul i64 %p, %given
  %xq = getelementptr double, ptr %x, i64 %xo
  %oo = mul i64 %p, %found
  %oq = getelementptr double, ptr %out, i64 %oo
  %place = select i1 %direct, ptr %oq, ptr %near
  %length = mul i64 %size, %found
  call void %kernel(ptr %xq, ptr %place, i64 %size, ptr %context)
  br i1 %watched, label %look, label %looked
look:
  %good = call i1 @finite(ptr %place, i64 %length)
  %both = and i1 %clean, %good
  br label %looked
looked:
  %clean1 = phi i1 [ true, %piece ], [ %both, %look ]
  br i1 %direct, label %next, label %write
write:
  call void @streamed(ptr %oq, ptr %near, i64 %length)
  br label %next
next:
  %p1 = add i64 %p, %size
  %more = icmp slt i64 %p1, %n
  br i1 %more, label %piece, label %done
done:
  call void @PyMem_RawFree(ptr %near)
  ret i1 %clean1
}}

declare i64 @llvm.smin.i64(i64, i64)

; whether no number is infinite or NaN: v × 0 is 0 of a finite number, and NaN of any other
define internal i1 @finite(ptr %numbers, i64 %length) nounwind {{
entry:
  %whole = and i64 %length, -{SCANNED}
  %some = icmp sgt i64 %whole, 0
  br i1 %some, label %vectors, label %fewer
vectors:
  %i = phi i64 [ 0, %entry ], [ %i1, %vectors ]
  %sums = phi {_VECTOR} [ zeroinitializer, %entry ], [ %sums1, %vectors ]
  %vp = getelementptr double, ptr %numbers, i64 %i
  %v = load {_VECTOR}, ptr %vp, align 8
  %d = fmul contract {_VECTOR} %v, zeroinitializer
  %sums1 = fadd contract {_VECTOR} %sums, %d
  %i1 = add i64 %i, {SCANNED}
  %more = icmp slt i64 %i1, %whole
  br i1 %more, label %vectors, label %joined
joined:
  %sum64 = call reassoc double @llvm.vector.reduce.fadd.v{SCANNED}f64(double 0.0, {_VECTOR} %sums1)
  %left = icmp slt i64 %whole, %length
  br i1 %left, label %fewer, label %done
fewer:
  %sum = phi double [ 0.0, %entry ], [ %sum64, %joined ]
  %last = sub i64 %length, 8
  %enough = icmp sge i64 %last, 0
  br i1 %enough, label %eights, label %rest
eights:
  %k = phi i64 [ %whole, %fewer ], [ %k1, %eights ]
  %esums = phi <8 x double> [ zeroinitializer, %fewer ], [ %esums1, %eights ]
  %at = call i64 @llvm.smin.i64(i64 %k, i64 %last)
  %ep = getelementptr double, ptr %numbers, i64 %at
  %e = load <8 x double>, ptr %ep, align 8
  %ed = fmul contract <8 x double> %e, zeroinitializer
  %esums1 = fadd contract <8 x double> %esums, %ed
  %k1 = add i64 %k, 8
  %emore = icmp slt i64 %k1, %length
  br i1 %emore, label %eights, label %eighted
eighted:
  %esum = call reassoc double @llvm.vector.reduce.fadd.v8f64(double %sum, <8 x double> %esums1)
  br label %done
rest:
  %j = phi i64 [ %whole, %fewer ], [ %j1, %rest ]
  %t = phi double [ %sum, %fewer ], [ %t1, %rest ]
  %rp = getelementptr double, ptr %numbers, i64 %j
  %r = load double, ptr %rp
  %rd = fsub double %r, %r
  %t1 = fadd double %t, %rd
  %j1 = add i64 %j, 1
  %again = icmp slt i64 %j1, %length
  br i1 %again, label %rest, label %done
done:
  %total = phi double [ %sum64, %joined ], [ %esum, %eighted ], [ %t1, %rest ]
  %ordered = fcmp ord double %total, 0.0
  ret i1 %ordered
}}
declare double @llvm.vector.reduce.fadd.v{SCANNED}f64(double, {_VECTOR})
declare double @llvm.vector.reduce.fadd.v8f64(double, <8 x double>)
"""
