"""C99, NumPy and plain Python that adlab has written: the same numbers as its own, NaN where it refuses, no warning."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import adlab
from adlab.errors import OptionError, UnsupportedExpression
from adlab.gallery import GALLERY
from adlab.graph.graph import Builder
from adlab.primitives.table import PRIMITIVES
from tests.table import CASES, LOGIC, points

COMPILERS = [path for path in map(shutil.which, ("gcc", "clang")) if path]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O0"]
ULPS = 4

FORMULAS = {
    "worked": "log((x + y)**2 + sin(x*y))",
    "power": "x**y + x**1.5",
    "branch": "Piecewise((sqrt(x)*y, x > 0), (x*y**2, y > 1), (0, True))",
    "kink": "Max(x, y)*Abs(x - 1)",
    "rest": "Mod(x, 0.75)*exp(-y**2)",
    "edges": "asin(x)/y + acosh(y) + log(1 - x)",
    "special": "erf(x)*erfc(y) + log1p(y**2)*cbrt(x**2 + 1)",
    "wide": "exp(300*x)*exp(-300*x)*y",
    "curves": "sech(x) + coth(y) + atan2(x, y) + sigmoid(x*y)",
}
GRID = np.array([[x, y] for x in (-2.0, -0.5, 0.0, 0.3, 1.0, 2.5) for y in (-1.0, 0.0, 0.75, 1.25, 3.0)])
KINDS = [("value_and_gradient", ()), ("hvp", ([0.5, -1.25],))]
SECOND = {"worked", "branch", "kink"}
TASKS = [(name, kind, extra) for name in FORMULAS for kind, extra in KINDS if kind != "hvp" or name in SECOND]


def in_c(codes: list, folder: Path, compiler: str = "gcc") -> ctypes.CDLL:
    """All of these compiled into one library."""
    sources = [str(code.write(folder)[1]) for code in codes]
    library = folder / f"all_{Path(compiler).name}.so"
    done = subprocess.run([compiler, *STRICT, "-shared", "-fPIC", *sources, "-o", str(library), "-lm"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


def called(function, numbers: int, *arguments) -> tuple[int, list[float]]:
    out = (ctypes.c_double * numbers)()
    status = function(*[(ctypes.c_double * len(a))(*a) for a in arguments], out)
    return status, list(out)


def flat(parts) -> np.ndarray:
    """All numbers in a row."""
    return np.concatenate([np.ravel(part) for part in parts]) if isinstance(parts, tuple) and parts else np.ravel(parts)


def agree(found, expected, refused_too: bool) -> None:
    """Never another number; and a number wherever adlab has one, unless the range was left on the way."""
    found, expected = np.ravel(found), np.ravel(expected)
    here = ~np.isnan(found)
    assert (np.abs(found - expected)[here] <= ULPS * np.spacing(np.abs(expected[here]))).all(), (found, expected)
    assert refused_too or here[~np.isnan(expected)].all(), (found, expected)


@pytest.mark.skipif(not COMPILERS, reason="no C compiler")
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("chosen", [("worked", "power"), pytest.param(tuple(FORMULAS), marks=pytest.mark.slow)])
def test_c_gives_the_numbers_of_adlab_or_says_why_not(compiler, chosen, tmp_path) -> None:
    functions = {name: adlab.Function(FORMULAS[name], ["x", "y"]) for name in chosen}
    tasks = [(functions[name], kind, extra, functions[name].to_c(kind, name=f"{name}_{kind}", at=[0.3, 1.25]))
             for name, kind, extra in TASKS if name in chosen]  # fmt: skip
    library, passed = in_c([code for *_, code in tasks], tmp_path, compiler), 0
    for f, kind, extra, code in tasks:
        program = f.compile("python", kind)
        for point in GRID:
            expected = flat(program(point, *extra))
            status, found = called(getattr(library, code.name), len(expected), point, *extra)
            assert status == (0 if not np.isnan(found).any() else 2 if status == 2 else 1)
            agree(found, expected, refused_too=status != 0)  # on a kink, adlab may know the derivative by other ways
            passed += status == 0
    assert passed > len(tasks) * len(GRID) / 3


@pytest.mark.skipif(not COMPILERS, reason="no C compiler")
def test_the_main_of_the_c_checks_itself_and_notices_a_wrong_sign(tmp_path) -> None:
    code = adlab.Function("x*sin(y)").to_c("gradient", name="slope", at=[2.0, 1.0])
    _, source = code.write(tmp_path)
    for replaced, expected in ((("sin(", "sin("), 0), (("sin(", "-sin("), 1)):
        source.write_text(code.source.replace(*replaced))
        program = str(tmp_path / "check")
        subprocess.run([COMPILERS[0], *STRICT, "-DADLAB_CHECK", str(source), "-o", program, "-lm"], check=True)
        done = subprocess.run([program], capture_output=True, text=True)
        assert done.returncode == expected
        assert "slope: 2 numbers, largest error" in done.stdout


@pytest.mark.skipif(not COMPILERS, reason="no C compiler")
@pytest.mark.parametrize("compiler", COMPILERS)
def test_each_call_is_judged_by_its_own_numbers(compiler, tmp_path) -> None:
    """The processor's flags outlive a call, and an infinite input raises none."""
    f = adlab.Function("x/(1 + exp(y))", ["x", "y"])
    library = in_c([f.to_c("gradient", name="slope"), f.to_c("jvp", name="along")], tmp_path, compiler)
    asked = [[1.0, 2.0], [1e308, 700.0], [1.0, 800.0], [1.0, 2.0], [math.inf, 2.0], [math.nan, 2.0], [1.0, 2.0]]
    assert [called(library.slope, 2, point)[0] for point in asked] == [0, 0, 2, 0, 2, 1, 0]
    along = [called(library.along, 1, [1.0, 2.0], v)[0] for v in ([1.0, 0.0], [0.0, math.inf], [1.0, 0.0])]
    assert along == [0, 2, 0]


@pytest.mark.skipif(not COMPILERS, reason="no C compiler")
def test_a_sparse_matrix_in_c_has_its_pattern_as_constants(tmp_path) -> None:
    f = adlab.Function(["x*y", "y**2", "sin(z)*x"], ["x", "y", "z"])
    code = f.to_c("jacobian", name="few", sparse=True)
    library = in_c([code], tmp_path, COMPILERS[0])
    point = [0.5, 2.0, 1.25]
    status, found = called(library.few, 5, point)
    rows, columns = ((ctypes.c_int * 5).in_dll(library, f"few_{what}")[:] for what in ("rows", "columns"))
    matrix = np.zeros((3, 3))
    matrix[rows, columns] = found
    assert status == 0
    np.testing.assert_allclose(matrix, f.jacobian(point), rtol=1e-15)
    assert "#define FEW_ENTRIES 5" in code.header


def test_a_batch_in_numpy_and_points_in_python_are_those_of_adlab() -> None:
    passed = 0
    for name, kind, extra in TASKS:
        f = adlab.Function(FORMULAS[name], ["x", "y"])
        program, by_numpy = f.compile("python", kind), _ran(f.to_numpy(kind, name=name))[name]
        by_python, batch = _ran(f.to_python(kind, name=name))[name], by_numpy(GRID, *extra)
        assert np.shape(by_numpy(GRID[0], *extra)[0]) == np.shape(program(GRID[0], *extra)[0])
        for k, point in enumerate(GRID.tolist()):
            expected = flat(program(point, *extra))
            found = flat(tuple(part[k] for part in batch) if isinstance(batch, tuple) else batch[k])
            agree(found, expected, refused_too=True)
            agree(flat(by_python(*point, *flat(extra).tolist())), expected, refused_too=True)
            passed += not np.isnan(found).any()
    assert passed > len(TASKS) * len(GRID) / 3


def test_every_operation_that_a_file_can_hold_is_right_at_the_tables_own_points() -> None:
    refused = set()
    for case in CASES:
        primitive, parameter = case
        if primitive.compound or primitive.name.endswith("_moving") or primitive.name in LOGIC:
            continue
        places = points(case, 6)
        builder = Builder([f"a{k}" for k in range(len(places[0]))])
        node = builder.apply(primitive, range(len(places[0])), parameter)
        f = adlab.Function.from_graph(builder.finish([node]), "q")
        try:
            by_numpy, by_python = _ran(f.to_numpy(name="q"))["q"], _ran(f.to_python(name="q"))["q"]
        except UnsupportedExpression as reason:
            refused.add(str(reason).split("`")[1])
            continue
        for place in places:
            expected = primitive.value(place, parameter)
            with np.errstate(all="ignore"):
                for found in (by_numpy(list(place)), _answer(by_python, place)):
                    assert np.isnan(found) or abs(found - expected) <= max(ULPS, primitive.ulps) * np.spacing(
                        abs(expected)
                    )
    own = {name for name, p in PRIMITIVES.items() if not p.special and not name.endswith("_moving")}
    assert refused & own == {"logaddexp"}, "near 0 it needs twice the precision"
    assert "loggamma" in refused, "that of `math` is wrong by 30 ulps near its zeros"


def _answer(function, place) -> float:
    """NaN where `math` raises."""
    try:
        return function(*place)
    except (ValueError, ZeroDivisionError, OverflowError):
        return float("nan")


def test_the_files_import_neither_adlab_nor_each_other(tmp_path) -> None:
    f = adlab.Function("x**y*erf(x)")
    (tmp_path / "by_numpy.py").write_text(f.to_numpy("gradient", name="slope"))
    (tmp_path / "by_python.py").write_text(f.to_python("gradient", name="slope"))
    code = ("import by_python; a = 'numpy' in sys.modules; import by_numpy; "
            "print(a, any('adlab' in m or 'sympy' in m for m in sys.modules))")  # fmt: skip
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path += {sys.path!r}\n{code}"],
                          capture_output=True, text=True, cwd=tmp_path, check=True)  # fmt: skip
    assert done.stdout.split() == ["False", "False"]


def test_what_cannot_be_written_is_refused_by_name() -> None:
    for text, named in (("besselj(0, x) + x", "besselj"), ("ellipk(x)", "elliptick"), ("ellipe(x)", "elliptice"),
                        ("ellipkinc(x, y)", "ellipticf"), ("ellipeinc(x, y)", "ellipticeinc"),
                        ("elliptic_pi(x, y)", "ellipticpic"), ("elliptic_pi(x, y, z)", "ellipticpi")):  # fmt: skip
        f = adlab.Function(text)
        for write in (f.to_c, f.to_numpy, f.to_python, f.to_fortran):
            with pytest.raises(UnsupportedExpression, match=f"`{named}` has no form in"):
                write()
    with pytest.raises(OptionError, match="cannot name a function"):
        f.to_c(name="while")
    with pytest.raises(OptionError, match="is none of"):
        f.to_numpy("gradients")


def test_a_derivative_program_has_no_value_where_its_function_has_none() -> None:
    program = adlab.Function("log(x)").derivative()
    assert np.isnan(_ran(program.to_python())["df"](-1.0))
    assert np.isnan(_ran(program.derivative().to_numpy(name="q"))["q"]([-1.0]))


def test_names_that_people_give_end_no_comment_and_hide_nothing() -> None:
    f = adlab.Function("t1*b2 + out*inf_ + lost", ["t1", "b2", "out", "inf_", "lost"])
    point = [1.5, 2.0, -0.5, 3.0, 0.25]
    assert _ran(f.to_python("gradient"))["f"](*point) == tuple(f.gradient(point))
    odd = adlab.Function("x*y", ["x", "y"], name='a */ b """ c')
    assert "*/ b" not in odd.to_c().header.splitlines()[0]
    assert _ran(odd.to_numpy(name="q"))["q"]([2.0, 3.0]) == 6.0


@pytest.mark.parametrize("written", ["x**2/x", "1/(1/x)", "sqrt(x**2)", "sqrt(exp(-x))", "exp(-x**2)*1e300", "1/(x + x)",
                                     "x**3 - x", "sin(x)/x", "log(sin(x) + 2)"])  # fmt: skip
def test_python_loses_nothing_silently_where_a_number_leaves_the_range_on_the_way(written) -> None:
    f = adlab.Function(written)
    code = _ran(f.to_python())["f"]
    for x in (1e-320, 1e-200, 1e-170, 0.5, 30.0, 800.0, 1e170, 1.5e308):
        found, expected = _answer(code, [x]), f(x)
        assert np.isnan(found) or abs(found - expected) <= ULPS * np.spacing(abs(expected)), x


def test_names_of_helpers_and_libraries_hide_nothing() -> None:
    f = adlab.Function("sin(_sin)/_div + abs*float", ["_sin", "_div", "abs", "float"])
    point = [1.5, 2.0, -0.5, 3.0]
    assert _ran(f.to_python("gradient"))["f"](*point) == pytest.approx(tuple(f.gradient(point)), rel=1e-15)
    assert _ran(f.to_python())["f"](*point) == pytest.approx(f(point), rel=1e-15)
    one = adlab.Function("exp(x)*x")
    for name in ("sin", "exp", "expf", "out", "isnan", "x", "v", "t1", "INFINITY", "np", "inf", "odd", "printf", "_sin"):
        for write in (one.to_c, one.to_numpy, one.to_python):
            with pytest.raises(OptionError, match="cannot name a function"):
                write(name=name)
        assert " f(" in adlab.Function("exp(x)*x", name=name).to_c().header or name == "_sin"


def test_an_operation_without_graphs_of_its_own_is_refused_by_name_too() -> None:
    outside = adlab.external(lambda x: x * 2.0)
    f = adlab.from_python(lambda x: outside(x), 1.0)
    for write in (f.to_c, f.to_numpy, f.to_python):
        with pytest.raises(UnsupportedExpression, match="does not serve external: "):
            write()


def _ran(source: str) -> dict:
    space: dict = {}
    exec(source, space)
    return space


@pytest.mark.slow
@pytest.mark.skipif(not COMPILERS, reason="no C compiler")
@pytest.mark.parametrize(
    "name", [n for n in GALLERY if n != "residual-network"]
)  # whose 40,000 lines take gcc a minute
def test_every_function_of_the_gallery_checks_itself_in_c(name, tmp_path) -> None:
    f = adlab.gallery.named(name)
    _, source = f.to_c("gradient" if f.m == 1 else "jacobian").write(tmp_path)
    program = str(tmp_path / "check")
    subprocess.run([COMPILERS[0], *STRICT, "-DADLAB_CHECK", str(source), "-o", program, "-lm"], check=True)
    assert subprocess.run([program], capture_output=True).returncode == 0


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_jax_and_pytorch_files_give_the_same_numbers(library) -> None:
    module = pytest.importorskip(library)
    from adlab.exports import to_numpy

    f = adlab.Function("x*acosh(y) + sinh(x)/asinh(x) + x**y", ["x", "y"])
    run = _ran(getattr(to_numpy, f"to_{library}")(f, "value_and_gradient", name="q"))["q"]
    if library == "jax":
        with module.enable_x64():
            value, slopes = run(GRID)
    else:
        value, slopes = run(module.tensor(GRID))
    expected = f.compile("python", "value_and_gradient")(GRID)
    np.testing.assert_allclose(np.asarray(value), expected[0], rtol=1e-14)
    np.testing.assert_allclose(np.asarray(slopes), expected[1], rtol=1e-14)
