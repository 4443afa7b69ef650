"""Machine code by way of LLVM (the extra `jit`, which is llvmlite).

Read in this order: `text` (IR, LLVM's intermediate representation, as text), `forms` (a primitive as IR, written by the table's
own NumPy functions), `body` (a graph as IR, with its domains), `plan` (long programs in segments), `kernels` (one point, a
batch), `engine` (this machine, and what is kept on disk), `entries` (the entry from Python), `kernel` (the backend), `tape` (an
interpreter for programs that are not worth compiling yet).

No fast-math: every operation is the IEEE one, none is fused or reordered, and a point outside the domain gives NaN. There are two
exceptions, within about an ulp. x/c for a constant c is x × (1/c) with a reciprocal of twice the digits. cosh is made of one
exponential. `accuracy="strict"` uses neither, fuses no product with a sum, and calls scalar libm throughout.
"""
