"""Runs every notebook of this folder top to bottom, each in a kernel of its own.

    LAGOM=target/release/lagom python notebooks-data/notebooks/run.py [--write] [NAME…]

The scripts are the source; `--write` stores the executed notebooks beside them.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    write = "--write" in arguments
    names = [one for one in arguments if not one.startswith("--")]
    os.environ["LAGOM"] = str(Path(os.environ.get("LAGOM", "lagom")).resolve())
    os.environ["LAGOM_TREE"] = str(HERE.parents[1])
    passed = failed = 0
    for script in sorted(HERE.glob("[a-z]_*.py")):
        if names and script.stem not in names:
            continue
        notebook = jupytext.read(script)
        notebook.metadata["kernelspec"] = {
            "display_name": "Python 3", "language": "python", "name": "python3",
        }  # fmt: skip
        began = time.monotonic()
        try:
            NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
        except Exception as error:  # noqa: BLE001: whatever a cell raises is told and counted
            print(f"{script.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        passed += 1
        print(f"{script.name}: {time.monotonic() - began:.0f} s")
        written = script.with_suffix(".ipynb")
        if write:
            for number, cell in enumerate(notebook.cells):
                cell["id"] = f"{script.stem[0]}{number}"
                cell.metadata.clear()
            notebook.metadata.pop("language_info", None)
            nbformat.write(notebook, written)
        else:
            kept = nbformat.read(written, as_version=4)
            if [one.source for one in kept.cells] != [one.source for one in notebook.cells]:
                print(f"{written.name} is not of {script.name}; run with --write", file=sys.stderr)
                failed += 1
                passed -= 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
