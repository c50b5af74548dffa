"""Run the numerical tests under several BLAS kernels, with one thread and with two.

    python tools/portable.py             the usual kernels that the processor can run
    python tools/portable.py Nehalem     those named

The last digits of a matrix product depend on the processor, because OpenBLAS has kernels for each.
Tests that pass under all of them lean neither on these digits, nor on a tie, nor on a solver's last
iterations.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Kernels of OpenBLAS, and the processor flags that each needs.
KERNELS = {
    "Nehalem": {"sse4_2"},
    "Haswell": {"avx2", "fma"},
    "Zen": {"avx2", "fma"},
    "SkylakeX": {"avx512f", "avx512bw", "avx512vl"},
}
USUAL = ("Haswell", "Zen", "SkylakeX")
NOT_NUMERICAL = {"__pycache__", "cli", "display", "labeling"}
PRINT_KERNEL = """
import numpy, scipy.linalg, threadpoolctl
libraries = threadpoolctl.threadpool_info()
print(*sorted({each["architecture"] for each in libraries if each["internal_api"] == "openblas"}))
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the tests under each kernel and number of threads, and return 1 where one run failed."""
    parser = argparse.ArgumentParser(description="Run the numerical tests under several kernels.")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"of {', '.join(KERNELS)}")
    kernels = parser.parse_args(arguments).kernels or USUAL
    if unknown := set(kernels) - set(KERNELS):
        parser.error(f"unknown kernel {min(unknown)}; known: {', '.join(KERNELS)}")
    processor = read_processor()
    print(f"processor: {processor.get('model name', 'unknown')}")
    results: dict[str, dict[int, int]] = {}
    for asked in kernels:
        missing = KERNELS[asked] - set(processor.get("flags", "").split())
        kernel = "" if missing else read_kernel(asked)
        if missing:
            print(f"{asked}: not run, the processor lacks {', '.join(sorted(missing))}")
        elif kernel in results:
            print(f"{asked}: not run, this OpenBLAS uses the kernel {kernel} for it")
        else:
            results[kernel] = {n: run_tests(asked, n_threads=n) for n in (1, 2)}
    for kernel, codes in results.items():
        for n_threads, code in codes.items():
            print(f"{kernel}, {n_threads} thread(s): {'FAILED' if code else 'passed'}")
    return int(any(code for codes in results.values() for code in codes.values()))


def read_processor() -> dict[str, str]:
    """Return what the system lists of the first processor; nothing where it lists none."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().split("\n\n")[0].splitlines() if path.is_file() else []
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def set_kernel(kernel: str, n_threads: int) -> dict[str, str]:
    """Return an environment in which OpenBLAS takes a kernel and a number of threads."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(n_threads))
    return {**os.environ, **threads, "OPENBLAS_CORETYPE": kernel}


def read_kernel(kernel: str) -> str:
    """Return the kernel that OpenBLAS uses where one is asked for."""
    command = [sys.executable, "-c", PRINT_KERNEL]
    done = subprocess.run(
        command, env=set_kernel(kernel, 1), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def run_tests(kernel: str, n_threads: int) -> int:
    """Run the numerical tests under a kernel, and return the exit code."""
    print(f"{kernel}, {n_threads} thread(s)", flush=True)
    paths = [str(p) for p in sorted((ROOT / "tests").iterdir()) if p.name not in NOT_NUMERICAL]
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-n", "2", "--dist=loadscope"]
    return subprocess.run(
        [*command, *paths], env=set_kernel(kernel, n_threads), cwd=ROOT
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
