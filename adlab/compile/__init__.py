"""A graph as a fast callable: straight-line Python, NumPy over batches, machine code where llvmlite is installed.

Read in this order: `program` (the common face), `existence` (where f has no value, its derivative has none), `python`, `numpy`,
`llvm`.

The table has the error of one operation in ulps, against 40 digits. It is the worst of 4,096 operands over the operation's
domain, in a batch, with glibc 2.36 (vectors of four), NumPy 2.4 and SciPy 1.17. Sums, products, quotients and roots are
correctly rounded.

============  ======  =====  ==========  ============
operation     python  numpy  llvm, fast  llvm, strict
============  ======  =====  ==========  ============
exp             0.50   0.50        2.37          0.50
log             0.45   0.45        0.72          0.45
sin             0.50   0.50        3.03          0.50
cos             0.51   0.51        2.59          0.51
tan             0.51   0.51        2.71          0.51
asin            0.50   0.50        1.96          0.50
acos            0.51   0.51        1.58          0.51
atan            0.50   0.50        0.97          0.50
sinh            1.09   1.09        1.59          1.09
cosh            0.90   0.90        2.47          0.90
tanh            1.62   1.15        1.43          1.62
asinh           1.01   1.01        1.50          1.01
acosh           1.15   1.15        2.09          1.15
atanh           1.33   1.33        1.76          1.33
cbrt            2.86   2.86        1.46          2.86
erf             0.86   1.93        0.99          0.86
erfc            2.19   2.19        1.48          2.19
gamma           4.80   5.06        3.35          3.35
exp(-a**2)      4.26   4.26        5.70          4.26
============  ======  =====  ==========  ============
"""
