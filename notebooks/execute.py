"""Execute the notebooks, each in a new kernel of this interpreter, and fail on the first error.

    python notebooks/execute.py                  all notebooks, in numerical order
    python notebooks/execute.py 03_pytorch       only the named ones
    python notebooks/execute.py --write          and store the outputs
    python notebooks/execute.py --jobs 1         one after the other; two at once unless told

Without ``--write`` no file changes, so the script serves as a test.
"""

from __future__ import annotations

import argparse
import asyncio
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
    parser.add_argument(
        "--jobs",
        type=int,
        default=min(2, os.cpu_count() or 1),
        help="number of notebooks at a time; default: 2, or 1 on one core",
    )
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    try:
        paths = find_notebooks(options.names)
    except FileNotFoundError as error:
        parser.error(str(error))
    os.environ.update(ENVIRONMENT)
    return asyncio.run(execute_all(paths, options.jobs, write=options.write))


async def execute_all(paths: list[Path], n_jobs: int, *, write: bool) -> int:
    """Execute notebooks, `n_jobs` at a time, report in their order, and return the exit code."""
    free = asyncio.Semaphore(n_jobs)
    tasks = [asyncio.create_task(execute_notebook(path, free, write=write)) for path in paths]
    for path, task in zip(paths, tasks, strict=True):
        try:
            seconds = await task
        except (CellExecutionError, TimeoutError) as error:
            print(f"{path.name} failed\n{ANSI_COLOR.sub('', str(error))}", file=sys.stderr)
            await cancel(tasks)
            return 1
        print(f"{path.name:<28}{seconds:6.1f} s", flush=True)
    return 0


async def cancel(tasks: list[asyncio.Task[float]]) -> None:
    """Cancel what is not done, and wait until its kernels are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def execute_notebook(path: Path, free: asyncio.Semaphore, *, write: bool) -> float:
    """Execute a notebook once it is its turn, and return the seconds that it took."""
    async with free:
        began = perf_counter()
        notebook = nbformat.read(path, as_version=4)
        await execute_cells(notebook)
        if write:
            normalize(notebook)
            nbformat.write(notebook, path)
        return perf_counter() - began


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


async def execute_cells(notebook: nbformat.NotebookNode) -> None:
    """Execute the cells of a notebook and replace their outputs."""
    await NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        kernel_manager_class=CurrentInterpreterKernel,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # why: hides connection messages
    ).async_execute()


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
