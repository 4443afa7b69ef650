"""Machine code by way of LLVM (the extra `jit`, which is llvmlite).

Read in this order: `text` (IR, LLVM's intermediate representation, as text), `forms` (a primitive as IR, written by the table's
own NumPy functions), `circular` (sine and cosine together), `body` (a graph as IR, with its domains), `order` (long sums), `plan`
(long programs in segments), `kernels` (one point, a batch), `engine` (this machine, and what is kept on disk), `entries` (the
entry from Python), `kernel` (the backend), `tape` (an interpreter for programs that are not worth compiling yet).

No fast-math: every operation is the IEEE one, and a point outside the domain gives NaN. There are three exceptions, within about
an ulp. x/c for a constant c is x × (1/c) with a reciprocal of twice the digits. cosh is made of one exponential. Where a sum adds
one product, a × b + c is rounded once. `accuracy="strict"` has none of them, and calls scalar libm throughout; otherwise several
operands of one function share a call of libmvec. Either way independent long sums are computed side by side, each with its terms
in their order.
"""
