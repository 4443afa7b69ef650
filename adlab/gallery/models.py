"""Models that people fit: the loss of a network, of an attention head and of a camera, as functions of the fitted numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from sympy import Expr, Integer, Rational, S

from adlab.function import Function
from adlab.gallery.notation import (
    Matrix,
    Vector,
    add,
    cos,
    cross,
    div,
    dot,
    exp,
    flattened,
    letter,
    letters,
    matrix,
    mul,
    require,
    sin,
    spread,
    sqrt,
    square,
    sub,
    tanh,
)
from adlab.gallery.straight import function
from adlab.inputs import coerce
from adlab.text.unevaluated import Decimal


def residual_network(width: int = 11, depth: int = 2, inputs: int = 8) -> Function:
    """The squared error of a residual network at one sample, as a function of all its weights: 374 of them by default.

    h ← tanh(W0 x + b0) from `inputs` data to `width`, then `depth` times h ← h + tanh(W h + b), then (vᵀh − 1)².
    The data are x_j = (2j − 1)/(2·inputs); the weights are spread over ±√(3/width), a variance of 1/width.
    """
    require(lambda: 2 * width * (inputs + depth * width), width=width, depth=depth, inputs=inputs)
    columns = [inputs, *[width] * depth]
    weights = [matrix(f"W{k}_", width, count) for k, count in enumerate(columns)]
    biases = [letters(f"b{k}_", width) for k in range(depth + 1)]
    readout = letters("v", width)
    data = [Rational(2 * j - 1, 2 * inputs) for j in range(1, inputs + 1)]
    h = [tanh(a) for a in _affine(weights[0], biases[0], data)]
    for W, b in zip(weights[1:], biases[1:], strict=True):
        h = [add(h_i, tanh(a)) for h_i, a in zip(h, _affine(W, b, h), strict=True)]
    variables = [*chain.from_iterable([*flattened(W), *b] for W, b in zip(weights, biases, strict=True)), *readout]
    bound = math.sqrt(3 / width)
    return function(
        square(sub(dot(readout, h), S.One)),
        variables=variables,
        name=f"residual network (width = {width}, depth = {depth}, inputs = {inputs})",
        point=spread(len(variables), -bound, bound),
        about="A small network's loss by all its weights: many inputs and one output, as in training.",
    )


def _affine(W: Matrix, b: Vector, h: Vector) -> list[Expr]:
    """W h + b."""
    return [add(b_i, *map(mul, row, h)) for row, b_i in zip(W, b, strict=True)]


def network(inputs: int = 4, outputs: int = 3, width: int = 8, depth: int = 3) -> Function:
    """y = V h after `depth` layers h ← tanh(W h), from `inputs` data to `outputs` numbers, as a function of its data.

    The weights are fixed: in layer k, W_ij = √3 cos(i + 2j + 3k)/columns, to six decimals. All indices count from 0.
    """
    require(lambda: 2 * width * (inputs + (depth - 1) * width + outputs), inputs=inputs, outputs=outputs, width=width,
            depth=depth)  # fmt: skip
    x = letters("x", inputs)
    h = x
    for k in range(depth):
        h = [tanh(dot(row, h)) for row in _weights(width, len(h), k)]
    return function(
        [dot(row, h) for row in _weights(outputs, width, depth)],
        variables=x,
        name=f"network (inputs = {inputs}, outputs = {outputs}, width = {width}, depth = {depth})",
        point=spread(inputs, -1.0, 1.0),
        about="Any number of inputs and outputs, with a narrow middle: forward mode is cheaper, or reverse.",
    )


def _weights(rows: int, columns: int, layer: int) -> list[list[Expr]]:
    scale = math.sqrt(3) / columns
    return [[Decimal(repr(round(scale * math.cos(i + 2 * j + 3 * layer), 6))) for j in range(columns)] for i in range(rows)]


def attention(tokens: int = 4, width: int = 3) -> Function:
    """The mean square of one softmax attention head, as a function of its tokens X and its weights Q, K, V (Vaswani et al. 2017).

    softmax(XQ (XK)ᵀ/√width) XV, where X is (tokens, width) and Q, K, V are (width, width).
    """
    require(lambda: 6 * tokens * width * (width + tokens), tokens=tokens, width=width)
    X = matrix("X", tokens, width)
    weights = [matrix(name, width, width) for name in "QKV"]
    queries, keys, values = (_product(X, W) for W in weights)
    head = [_attended(query, keys, values) for query in queries]
    variables = [*flattened(X), *chain.from_iterable(map(flattened, weights))]
    return function(
        div(add(*map(square, flattened(head))), Integer(tokens * width)),
        variables=variables,
        name=f"attention (tokens = {tokens}, width = {width})",
        point=spread(len(variables), -1.0, 1.0),
        about="One softmax attention head: sums, exponentials and quotients that every input reaches by many paths.",
    )


def _product(A: Matrix, B: Matrix) -> list[list[Expr]]:
    """A B."""
    return [[dot(row, column) for column in zip(*B, strict=True)] for row in A]


def _attended(query: Vector, keys: Matrix, values: Matrix) -> list[Expr]:
    """The mean of the values, weighted by the softmax of how well their keys fit the query."""
    scale = sqrt(Integer(len(query)))
    powers = [exp(div(dot(query, key), scale)) for key in keys]
    total = add(*powers)
    weights = [div(power, total) for power in powers]
    return [dot(weights, column) for column in zip(*values, strict=True)]


def bundle_adjustment(measured: Sequence[float] = (250.0, 160.0)) -> Function:
    """The distance of a point's image from where it was `measured`, in pixels, weighted (ADBench; Šrajer et al. 2018).

    A camera at C sees the point X. It is turned by the Rodrigues vector r ≠ 0 and has focal length f, principal point (u0, v0)
    and radial distortion 1 + k1 ρ² + k2 ρ⁴. w weighs the residual. There are 15 inputs and 2 outputs.
    """
    aim = coerce(measured, ["u", "v"], "measured image").tolist()
    r, C, X = letters("r", 3), letters("C", 3), letters("X", 3)
    f, u0, v0, k1, k2, w = map(letter, ("f", "u0", "v0", "k1", "k2", "w"))
    x, y, z = _rotated(r, [sub(X_i, C_i) for X_i, C_i in zip(X, C, strict=True)])
    plane = [div(x, z), div(y, z)]
    rho2 = add(*map(square, plane))
    zoom = mul(f, add(S.One, mul(k1, rho2), mul(k2, square(rho2))))
    image = [add(mul(zoom, coordinate), centre) for coordinate, centre in zip(plane, (u0, v0), strict=True)]
    return function(
        [mul(w, sub(u, Decimal(repr(at)))) for u, at in zip(image, aim, strict=True)],
        variables=[*r, *C, f, u0, v0, k1, k2, *X, w],
        name="bundle adjustment",
        point=(0.1, -0.2, 0.05, 0.5, -0.25, -6, 500, 320, 240, -0.1, 0.02, 1, -0.75, 2, 0.8),
        about="What computer vision minimises: a point's reprojection error by camera, point and weight; two outputs.",
    )


def robot_arm(joints: int = 6) -> Function:
    """Where the hand of a robot's arm is, by the angles q of its joints: three outputs.

    The joints turn about the z axis and the y axis in turn. A link of length 1/4 stands between two joints. The hand is
    (1/8, 1/8, 1/2) beyond the last one. The rotations are multiplied out from the hand to the shoulder.
    """
    require(lambda: 10 * joints, joints=joints)
    angles = letters("q", joints)
    x, y, z = Rational(1, 8), Rational(1, 8), S.Half
    for number, angle in reversed(list(enumerate(angles))):
        c, s = cos(angle), sin(angle)
        if number % 2:
            x, z = add(mul(c, x), mul(s, z)), sub(mul(c, z), mul(s, x))
        else:
            x, y = sub(mul(c, x), mul(s, y)), add(mul(s, x), mul(c, y))
        z = add(z, Rational(1, 4))
    return function(
        [x, y, z],
        variables=angles,
        name=f"robot arm (joints = {joints})",
        point=spread(joints, 0.0, 1.5),
        about="Where a robot's hand is: the formula nearly triples every two joints, the graph grows by nine a joint.",
    )


def _rotated(r: Vector, x: Vector) -> list[Expr]:
    """x turned about r by the angle |r| (Rodrigues 1840)."""
    angle = sqrt(add(*map(square, r)))
    axis = [div(r_i, angle) for r_i in r]
    along = mul(dot(axis, x), sub(S.One, cos(angle)))
    turned = zip(x, cross(axis, x), axis, strict=True)
    return [add(mul(x_i, cos(angle)), mul(c_i, sin(angle)), mul(a_i, along)) for x_i, c_i, a_i in turned]
