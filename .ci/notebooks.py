"""Executes every notebook anew and compares what it prints with what is committed, by meaning (tests/recorded.py).

A cell tagged `volatile` (times, versions) is executed but not compared; pictures are compared by being there.
`--write` stores the new outputs instead; stems after it choose notebooks.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from recorded import differences

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ANSWER = "the answer:"
"""The first output of a folded cell. JupyterLab shows the first line of what is folded, and that must not be the answer."""


def announce(cell: Any) -> None:
    """Puts `ANSWER` before the outputs of a folded cell."""
    if cell.get("outputs") and {"hide-output", "hide-cell"} & set(cell.metadata.get("tags", [])):
        cell.outputs.insert(0, nbformat.v4.new_output("display_data", {"text/plain": ANSWER}))


def shown(cell: Any) -> list[str]:
    """The text of a cell's outputs; a picture is the word that it is one."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data or "image/svg+xml" in data:
            texts.append("<picture>")
        elif data.get("text/plain") == ANSWER:
            continue
        elif "text/plain" in data:
            texts.append(data["text/plain"].strip())
        elif "text" in output:
            texts.append(output["text"].strip())
    return texts


def executed(path: Path, write: bool) -> list[str]:
    """Where a notebook, executed anew, differs from what is committed; with `write` it is committed anew instead."""
    committed = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(fresh, timeout=300, coalesce_streams=True, kernel_name="python3", resources=place).execute()
    if write:
        for cell in fresh.cells:
            cell.get("metadata", {}).pop("execution", None)
            announce(cell)
        fresh.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        nbformat.write(fresh, path)
        return []
    found = []
    for number, (before, after) in enumerate(zip(committed.cells, fresh.cells, strict=True)):
        changed = differences("\n".join(shown(before)), "\n".join(shown(after)))
        if changed and "volatile" not in before.metadata.get("tags", []):
            found.append("\n  ".join([f"{path.name}, cell {number}:", *changed]))
    return found


def main() -> int:
    """Two notebooks at a time, each in a process of its own: most of the time one kernel computes alone."""
    write, wrong = "--write" in sys.argv, 0
    wanted = [name for name in sys.argv[1:] if name != "--write"]
    paths = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not wanted or path.stem in wanted]
    with ProcessPoolExecutor(2) as pool:
        for path, found in zip(paths, pool.map(executed, paths, [write] * len(paths)), strict=True):
            wrong += len(found)
            print(*found, f"{path.name}: {'written' if write else 'executed'}", sep="\n", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
