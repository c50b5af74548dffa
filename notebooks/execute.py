"""Execute the notebooks, each in a fresh kernel of this interpreter, and fail on the first error.

    python notebooks/execute.py                  every notebook, in the order of its number
    python notebooks/execute.py 03_pytorch       only those named
    python notebooks/execute.py --write          and store the outputs

Without ``--write`` no file changes, so it serves as a test.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from time import perf_counter

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets import default

HERE = Path(__file__).resolve().parent
CELL_SECONDS = 300
ENVIRONMENT = {
    "PYTHONWARNINGS": "ignore",  # of third parties, and different with every version
    "TQDM_DISABLE": "1",
    "OMP_NUM_THREADS": "1",  # fits this small lose time to threads
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class OwnKernel(AsyncKernelManager):
    """A kernel of the interpreter that runs this script, whatever kernels the user has."""

    @default("kernel_spec_manager")
    def _without_installed_kernels(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebooks that are asked for, and return the exit code."""
    parser = argparse.ArgumentParser(description="Execute the notebooks.")
    parser.add_argument("names", nargs="*", help="notebooks, such as 01_quickstart; none: all")
    parser.add_argument("--write", action="store_true", help="store the outputs")
    options = parser.parse_args(arguments)
    try:
        paths = find(options.names)
    except FileNotFoundError as error:
        parser.error(str(error))
    os.environ.update(ENVIRONMENT)
    for path in paths:
        began = perf_counter()
        notebook = nbformat.read(path, as_version=4)
        try:
            execute(notebook)
        except (CellExecutionError, TimeoutError) as error:
            print(f"{path.name} failed\n{ANSI.sub('', str(error))}", file=sys.stderr)
            return 1
        if options.write:
            normalize(notebook)
            nbformat.write(notebook, path)
        print(f"{path.name:<28}{perf_counter() - began:6.1f} s", flush=True)
    return 0


def find(names: list[str]) -> list[Path]:
    """Return the paths of the notebooks named, with or without suffix; of all where none is."""
    if not names:
        return sorted(HERE.glob("[0-9]*.ipynb"))
    paths = [HERE / f"{Path(name).stem}.ipynb" for name in names]
    missing = [path.stem for path in paths if not path.is_file()]
    if missing:
        known = ", ".join(path.stem for path in sorted(HERE.glob("*.ipynb")))
        raise FileNotFoundError(f"no notebook {', '.join(missing)}; there are {known}")
    return sorted(paths)


def execute(notebook: nbformat.NotebookNode) -> None:
    """Execute the cells of a notebook, whose outputs are replaced."""
    NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        kernel_manager_class=OwnKernel,
        resources={"metadata": {"path": str(HERE)}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # not how the kernel talks to this script
    ).execute()


def normalize(notebook: nbformat.NotebookNode) -> None:
    """Remove what differs from run to run or from machine to machine."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {}


if __name__ == "__main__":
    sys.exit(main())
