"""Execute the notebooks, each in a new kernel of this interpreter, and fail on the first error.

    python notebooks/execute.py                  all notebooks, in numerical order
    python notebooks/execute.py 03_pytorch       only the named ones
    python notebooks/execute.py --write          and store the outputs

Without ``--write`` no file changes, so the script serves as a test.
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

NOTEBOOKS = Path(__file__).resolve().parent
CELL_TIMEOUT = 300  # seconds
ENVIRONMENT = {
    "PYTHONWARNINGS": "ignore",  # why: third-party warnings vary with the versions
    "TQDM_DISABLE": "1",
    "OMP_NUM_THREADS": "1",  # why: threads slow down fits this small
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
ANSI_COLOR = re.compile(r"\x1b\[[0-9;]*m")


class CurrentInterpreterKernel(AsyncKernelManager):
    """A kernel of the interpreter that runs this script, even if other kernels are installed."""

    @default("kernel_spec_manager")
    def _ignore_installed_kernels(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


def main(arguments: list[str] | None = None) -> int:
    """Execute the selected notebooks and return the exit code."""
    parser = argparse.ArgumentParser(description="Execute the notebooks.")
    parser.add_argument("names", nargs="*", help="notebooks, such as 01_quickstart; default: all")
    parser.add_argument("--write", action="store_true", help="store the outputs")
    options = parser.parse_args(arguments)
    try:
        paths = find_notebooks(options.names)
    except FileNotFoundError as error:
        parser.error(str(error))
    os.environ.update(ENVIRONMENT)
    for path in paths:
        began = perf_counter()
        notebook = nbformat.read(path, as_version=4)
        try:
            execute_cells(notebook)
        except (CellExecutionError, TimeoutError) as error:
            print(f"{path.name} failed\n{ANSI_COLOR.sub('', str(error))}", file=sys.stderr)
            return 1
        if options.write:
            normalize(notebook)
            nbformat.write(notebook, path)
        print(f"{path.name:<28}{perf_counter() - began:6.1f} s", flush=True)
    return 0


def find_notebooks(names: list[str]) -> list[Path]:
    """Return the paths of the named notebooks, with or without suffix; of all if none is named."""
    if not names:
        return sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names]
    missing = [path.stem for path in paths if not path.is_file()]
    if missing:
        available = ", ".join(path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb")))
        raise FileNotFoundError(
            f"unknown notebook {', '.join(missing)}; expected one of {available}"
        )
    return sorted(paths)


def execute_cells(notebook: nbformat.NotebookNode) -> None:
    """Execute the cells of a notebook and replace their outputs."""
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        kernel_manager_class=CurrentInterpreterKernel,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # why: hides connection messages
    ).execute()


def normalize(notebook: nbformat.NotebookNode) -> None:
    """Remove metadata that depends on the run or the machine."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {}


if __name__ == "__main__":
    sys.exit(main())
