"""More results than a cache holds: two ways to write them, in IR.

An ordinary store first reads the line of memory that it changes. A kernel that takes several points at a time writes as many
rows at once, a few numbers of each. So the results are written to a small buffer first, which stays near, and from there in one
stream of whole lines, which are not read before (`@streamed`).

A program that has little to compute for each number that it reads and writes waits for the memory in any case. It takes point
after point (`@each`): then rows are read and written from end to end, which the processor foresees, and it computes meanwhile.
Its results are streamed, too, if they are no more than the numbers that it reads; if they are more, a stream took longer.
"""

from __future__ import annotations

from adlab.graph.graph import Graph

FAR = 1 << 24
"""Bytes of results: from here on they are too many."""
WIDE = 1 << 8
"""Bytes of results of a point: fewer are not streamed, since they take no time."""
LITTLE = 6
"""Operations for each input and output, at most, of a program that waits for the memory."""
SMALL = 1536
"""Operations of a program whose code stays in the processor's own cache, point after point."""
PLAIN = frozenset(["add", "sub", "mul", "neg", "div", "powi", "sqrt", "select", "eq", "ne", "lt", "le", "gt", "ge", "and", "or"])
"""Operations that give the same numbers for one point as for several at a time."""
NEAR = 1 << 16
"""Bytes of the buffer."""

STREAMED = """
define internal void @streamed(ptr %to, ptr %from, i64 %length) nounwind {
entry:
  %address = ptrtoint ptr %to to i64
  %negative = sub i64 0, %address
  %past = and i64 %negative, 63
  %short = lshr i64 %past, 3
  %head = call i64 @llvm.smin.i64(i64 %short, i64 %length)
  %left = sub i64 %length, %head
  %body = and i64 %left, -8
  %end = add i64 %head, %body
  call void @copied(ptr %to, ptr %from, i64 0, i64 %head)
  %some = icmp sgt i64 %body, 0
  br i1 %some, label %lines, label %rest
lines:
  %i = phi i64 [ %head, %entry ], [ %i1, %lines ]
  %fp = getelementptr double, ptr %from, i64 %i
  %v = load <8 x double>, ptr %fp, align 8
  %tp = getelementptr double, ptr %to, i64 %i
  store <8 x double> %v, ptr %tp, align 64, !nontemporal !0
  %i1 = add i64 %i, 8
  %more = icmp slt i64 %i1, %end
  br i1 %more, label %lines, label %rest
rest:
  call void @copied(ptr %to, ptr %from, i64 %end, i64 %length)
  fence seq_cst
  ret void
}

define internal void @copied(ptr %to, ptr %from, i64 %start, i64 %end) nounwind {
entry:
  %some = icmp slt i64 %start, %end
  br i1 %some, label %numbers, label %done
numbers:
  %i = phi i64 [ %start, %entry ], [ %i1, %numbers ]
  %fp = getelementptr double, ptr %from, i64 %i
  %v = load double, ptr %fp
  %tp = getelementptr double, ptr %to, i64 %i
  store double %v, ptr %tp
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %end
  br i1 %more, label %numbers, label %done
done:
  ret void
}

!0 = !{i32 1}
"""
EACH = """
define void @each(ptr noalias nocapture readonly %x, ptr noalias nocapture writeonly %out, i64 %count, ptr %context) nounwind {{
  br label %single
single:
  %p = phi i64 [ 0, %0 ], [ %next, %single ]
  %firstx = mul i64 %p, {n}
  %xp = getelementptr inbounds double, ptr %x, i64 %firstx
  %firsto = mul i64 %p, {m}
  %op = getelementptr inbounds double, ptr %out, i64 %firsto
  call void @point(ptr %xp, ptr %op, i64 1, ptr %context)
  %next = add i64 %p, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %single, label %done
done:
  ret void
}}
"""


def each_kernel(graph: Graph) -> str:
    """The text of `@each`, which calls `@point`."""
    return EACH.format(n=len(graph.inputs), m=len(graph.outputs))


def is_thin(graph: Graph) -> bool:
    """Whether a program waits for the memory rather than for the processor."""
    count, numbers = len(graph.operations), len(graph.inputs) + len(graph.outputs)
    if count > SMALL or count > LITTLE * numbers:
        return False
    return all(graph.nodes[i].primitive.name in PLAIN for i in graph.operations)
