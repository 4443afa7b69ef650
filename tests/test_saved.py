"""Files: what is loaded computes what was saved, and a file that was tampered with is refused."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

import adlab
from adlab.compile.program import compile_graph


@pytest.mark.parametrize("name", ["worked-example", "speelpenning:4", "logistic-map:4"])
def test_a_function_and_its_program_come_back_the_same(name, tmp_path):
    f, path = adlab.gallery.named(name), tmp_path / "f.json"
    f.save(path)
    again = adlab.load(path)
    assert str(again.graph) == str(f.graph)
    assert (again(f.point), again.gradient(f.point).tolist()) == (f(f.point), f.gradient(f.point).tolist())
    f.compile("python", "hessian").save(path)
    assert np.array_equal(adlab.load(path)(f.point), f.compile("python", "hessian")(f.point))


def test_constants_of_every_kind_branches_and_choices_are_kept(tmp_path):
    f = adlab.Function(["pi*x + x**(2/3) + 0.1*y", "Piecewise((log(x), x > 1), (y, True))"], ["x", "y", "g"])
    program = f.compile("python", "jacobian", wrt=["y", "x"], constants={"g": 9.81})
    program.save(tmp_path / "p.json")
    again = adlab.load(tmp_path / "p.json")
    for point in ([0.5, 2.0], [3.0, 1.0], [1.0, 1.0]):
        assert np.array_equal(again([point]), program([point]), equal_nan=True)
    derivative = adlab.Function("log(x)").derivative()
    derivative.save(tmp_path / "d.json")
    with pytest.raises(adlab.DomainError):
        adlab.load(tmp_path / "d.json")([-1.0])


def test_a_file_that_is_not_whole_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "f.json"
    adlab.Function("x*sin(y)").save(path)
    whole = json.loads(path.read_text())
    graph = whole["function"]["graph"]
    for change, words in [
        (lambda d: d.update(adlab=99), "version 99"),
        (lambda d: d.pop("adlab"), "not written by adlab"),
        (lambda d: d.pop("function"), "incomplete"),
        (lambda d: d["function"]["graph"]["nodes"][0].__setitem__(0, "os.system"), "does not know"),
        (lambda d: d["function"]["graph"]["nodes"][0].__setitem__(1, [7]), "come before"),
        (lambda d: d["function"]["graph"]["nodes"][0].__setitem__(1, [True]), "whole number"),
        (lambda d: d["function"]["graph"].update(outputs=[99]), "not all nodes"),
        (lambda d: d["function"]["graph"].update(inputs=["x", "x"]), "same name"),
        (lambda d: d["function"]["graph"].update(nodes=3), "does not hold a graph"),
        (lambda d: d.update(compile={"evil": 1}), "no save writes"),
    ]:
        bad = copy.deepcopy(whole)
        change(bad)
        path.write_text(json.dumps(bad))
        with pytest.raises(adlab.GraphError, match=words):
            adlab.load(path)
    assert graph["inputs"] == ["x", "y"]
    path.write_text("not json")
    with pytest.raises(adlab.GraphError, match="not JSON"):
        adlab.load(path)
    with pytest.raises(adlab.AdlabError, match="cannot be read"):
        adlab.load(tmp_path / "missing.json")


def test_functions_and_programs_are_pickled_and_copied_without_their_compiled_code():
    f = adlab.Function("log(x)*y + besselj(1, x)", ["x", "y", "g"])
    programs = [f.compile(backend, "jacobian", wrt="x", constants={"g": 2.0}) for backend in ("auto", "python", "numpy")]
    for made in (f, f.derivative(), *programs):
        point = [1.5, 2.0] if made in programs else [1.5, 2.0, 0.0]
        for _ in range(5):  # until compiled
            expected = made(point)
        for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made)):
            assert np.array_equal(again(point), expected)
    again = pickle.loads(pickle.dumps(f.derivative()))
    with pytest.raises(adlab.DomainError):
        again([-1.0, 1.0, 0.0])
    with pytest.raises(adlab.MethodError, match="belongs to no function"):
        pickle.dumps(compile_graph(f.graph, [()]))
