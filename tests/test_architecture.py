"""The arrows of the house: imports run downward only, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "adlab"

# Each room may import the rooms on earlier lines, and itself. Rooms that share a line may not import each other.
LEVELS = [
    ["errors", "progress", "process", "native"],
    ["precision"],
    ["display"],
    ["text"],
    ["inputs"],
    ["truth", "primitives"],
    ["graph"],
    ["arithmetic"],
    ["autodiff"],
    ["compile", "symbolic", "differences", "peers", "draw"],
    ["exports"],
    ["methods", "conveniences"],
    ["function"],
    ["gallery", "plots", "tracing"],
    ["use"],
    ["report", "bench"],
    ["audit"],
    ["page"],
    ["testing"],
    ["cli", "__init__"],
    ["__main__"],
]
LEVEL = {room: i for i, rooms in enumerate(LEVELS) for room in rooms}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Every adlab module that a file imports, and whether it does so at the top level (type checking aside)."""
    found = []
    tree = parsed(path)
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and any(getattr(part, "id", "") == "TYPE_CHECKING" for part in ast.walk(node.test))
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "adlab":
            found += [(_imported(node.module, alias.name), id(node) in top) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(a.name, id(node) in top) for a in node.names if a.name.split(".")[0] == "adlab"]
    return found


def _imported(module: str, name: str) -> str:
    """`from module import name` imports the file `name`, or else a name out of the file `module`."""
    inner = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.is_dir() or inner.with_suffix(".py").exists() else module


def room(dotted: str) -> str:
    return [*dotted.split("."), "__init__"][1]


def test_imports_run_downward_only() -> None:
    for path in modules():
        name = path.relative_to(PACKAGE).as_posix()
        mine = room("adlab." + name.removesuffix(".py").replace("/", "."))
        assert mine in LEVEL, f"{name}: give the new room `{mine}` a level"
        for imported, _ in imports(path):
            theirs = room(imported)
            if theirs == mine or mine == "__init__" or (mine, theirs) == ("cli", "__init__"):
                continue
            assert theirs in LEVEL, f"{name} imports {imported}"
            assert LEVEL[theirs] < LEVEL[mine], f"{name} ({mine}) must not import {imported} ({theirs})"


def test_no_import_goes_in_a_circle() -> None:
    """File by file, inside the rooms too. An import inside a function counts; one for the type checker alone does not."""
    name_of = {p: ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in modules()}
    wanted = {name: {m for m, _ in imports(path)} - {name, "adlab"} for path, name in name_of.items()}
    try:
        TopologicalSorter(wanted).prepare()
    except CycleError as circle:
        pytest.fail(" is imported by ".join(circle.args[1]))


def test_the_engines_never_meet() -> None:
    rooms = ("autodiff", "symbolic", "differences", "peers")
    for engine, other in ((a, b) for a in rooms for b in rooms if a != b):
        for path in (PACKAGE / engine).rglob("*.py"):
            assert not any(room(name) == other for name, _ in imports(path)), path


def test_the_truth_uses_neither_engine_nor_the_graph() -> None:
    for path in (PACKAGE / "truth").rglob("*.py"):
        for imported, _ in imports(path):
            assert room(imported) in {"errors", "progress", "precision", "display", "text", "inputs", "truth"}, (path, imported)


def test_files_are_short_enough_to_hold_one_idea() -> None:
    long = {str(p.relative_to(ROOT)): n for p in [*modules(), *(ROOT / "tests").rglob("*.py")]
            if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}  # fmt: skip
    assert not long


def test_the_top_level_holds_only_what_is_agreed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing to list")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    agreed = {"pyproject.toml", "README.md", "LICENSE", "adlab", "tests", "notebooks", "figures"}
    assert {name for name in top if not name.startswith(".")} <= agreed


def test_importing_adlab_imports_nothing_heavy() -> None:
    code = "import sys, adlab, adlab.cli.main; print(*sorted({'sympy', 'numpy', 'matplotlib', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_core_dependencies_are_three() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(d.split(">")[0] for d in project["dependencies"]) == ["matplotlib", "numpy", "sympy"]


def test_no_text_is_ever_run() -> None:
    """exec stands only where adlab runs source that it has itself written."""
    allowed = {"arithmetic/writers.py", "arithmetic/floats.py", "compile/numpy.py", "exports/to_numba.py",
               "symbolic/derivative.py", "differences/few.py"}  # fmt: skip
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = node.func.id
                assert called not in {"eval", "sympify", "parse_expr"}, path
                assert called != "exec" or path.relative_to(PACKAGE).as_posix() in allowed, path


PRIVATE_ELSEWHERE = {
    "_replace", "_asdict",  # of named tuples, public in spite of their names
    "_getframe", "_exit", "_NoValue",  # of Python and NumPy
    "_mpf_", "_mpc_", "_prec", "_new", "_diff_wrt", "_assumptions_orig", "_array", "_argset",  # of mpmath and SymPy, which offer
    "_sympystr", "_latex", "_print_Function", "_eval_evalf", "_forward_jacobian",  # no other way
}  # fmt: skip


def test_nobody_touches_the_private_members_of_another_file() -> None:
    """A name with an underscore is used on `self`, or in the file that defines it."""
    for path in modules():
        tree = parsed(path)
        own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr[0] == "_" != node.attr[1:2]]
        mine = {node.attr for node in used if ast.unparse(node.value) in ("self", "cls")}
        foreign = {node.attr for node in used} - own - mine - PRIVATE_ELSEWHERE
        assert not foreign, (path, foreign)


def test_a_name_means_one_class() -> None:
    """Two classes of one name are told apart by nobody: not by a reader, not by a search."""
    places: dict[str, list[str]] = {}
    for path in modules():
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(PACKAGE).as_posix())
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def numeric(value: ast.expr | None) -> bool:
    """Whether an expression is written in numbers alone."""
    if isinstance(value, ast.Tuple):
        return all(map(numeric, value.elts))
    if isinstance(value, ast.BinOp):
        return numeric(value.left) and numeric(value.right)
    return numeric(value.operand) if isinstance(value, ast.UnaryOp) else isinstance(getattr(value, "value", None), int | float)


def test_a_constant_has_its_reason() -> None:
    """Beside the number, on the line above, or in a docstring below it."""
    for path in modules():
        tree, lines = parsed(path), ["", *path.read_text(encoding="utf-8").splitlines()]
        for node, after in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not numeric(node.value):
                continue
            if ast.unparse(node).split()[0].strip("_,:").isupper():
                below = isinstance(getattr(after, "value", None), ast.Constant)
                assert below or "#" in lines[node.lineno] + lines[node.lineno - 1], (path, lines[node.lineno])


def test_the_map_of_the_code_names_files_that_exist() -> None:
    page = (PACKAGE / "README.md").read_text(encoding="utf-8")
    named = [name for name in re.findall(r"`([\w./-]+)`", page) if name.endswith(("/", ".py", ".js", ".toml"))]
    assert len(named) > 60
    for name in named:
        assert any((place / name).exists() for place in (PACKAGE, ROOT)) or [*PACKAGE.rglob(name)], name
