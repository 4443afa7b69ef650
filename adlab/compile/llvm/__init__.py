"""Machine code by way of LLVM (the extra `jit`, which is llvmlite).

Read in this order: `text` (IR as text), `forms` (a primitive as IR, written by the table's own NumPy functions),
`body` (a graph as IR, with its domains), `plan` (long programs in segments), `kernels` (one point, a batch),
`engine` (this machine, and what is kept on disk), `entries` (the way in from Python), `kernel` (the backend),
`tape` (an interpreter for programs not worth compiling yet).

No fast-math: every operation is the IEEE one, none is fused or reordered, and a point outside the domain gives NaN.
Two liberties stay within an ulp or so of that: x/c for a constant c is x × (1/c) with the reciprocal to twice the
digits, and cosh is made of one exponential. `accuracy="strict"` takes neither, and calls scalar libm throughout.
"""
