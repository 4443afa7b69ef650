"""Code to take along: a function or its derivative in C, Python or NumPy, and as a function of PyTorch, JAX or CasADi.

`plan` says what is written, `lines` writes the operations that C, NumPy and Python share. The frameworks compute what adlab's
own derivative programs say.
"""
