"""Executes every notebook anew and compares what it prints with what is committed, by meaning (tests/recorded.py).

A cell tagged `volatile` (times, versions) is executed but not compared; pictures are compared by being there.
`--write` stores the new outputs instead; stems after it choose notebooks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from recorded import differences

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def shown(cell: Any) -> list[str]:
    """The text of a cell's outputs; a picture is the word that it is one."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data or "image/svg+xml" in data:
            texts.append("<picture>")
        elif "text/plain" in data:
            texts.append(data["text/plain"].strip())
        elif "text" in output:
            texts.append(output["text"].strip())
    return texts


def main() -> int:
    write, wrong = "--write" in sys.argv, 0
    wanted = [name for name in sys.argv[1:] if name != "--write"]
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if wanted and path.stem not in wanted:
            continue
        committed = nbformat.read(path, as_version=4)
        fresh = nbformat.read(path, as_version=4)
        place = {"metadata": {"path": str(NOTEBOOKS)}}
        NotebookClient(fresh, timeout=300, coalesce_streams=True, kernel_name="python3", resources=place).execute()
        if write:
            for cell in fresh.cells:
                cell.get("metadata", {}).pop("execution", None)
            fresh.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
            nbformat.write(fresh, path)
        for number, (before, after) in enumerate(zip(committed.cells, fresh.cells, strict=True)):
            changed = differences("\n".join(shown(before)), "\n".join(shown(after)))
            if changed and "volatile" not in before.metadata.get("tags", []) and not write:
                wrong += 1
                print(f"{path.name}, cell {number}:", *changed, sep="\n  ")
        print(f"{path.name}: {'written' if write else 'executed'}")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
