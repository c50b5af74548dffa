"""Fixtures of the estimates."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="package")
def benchmark_module():
    """The script that back-tests forecasts and audits."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import forecast
    finally:
        sys.path.remove(str(BENCHMARKS))
    return forecast
