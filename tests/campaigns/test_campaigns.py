"""The campaigns of damage in their short form; `make test-damage` runs the long one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, and SIGKILL")


def run(name, *options):
    """Run a campaign; return its lines, in which nothing is lost, silent or raw."""
    command = [sys.executable, Path(__file__).with_name(f"{name}.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(line["lost"], line["silent"], line["raw"]) for line in lines] == [(0, 0, 0)] * len(
        lines
    )
    return lines


@pytest.mark.no_cover
def test_stores_that_are_cut_off():
    (found,) = run("truncation", "--step", "30000")
    assert found["noticed"] == found["n"] > 5
    assert found["salvaged"]["events"] > 1000


@pytest.mark.no_cover
def test_bits_that_are_flipped():
    (found,) = run("bit_flips", "--flips", "25")
    assert found["noticed"] > 10
    assert found["harmless"] > 2


@pytest.mark.no_cover
def test_logs_and_journals_that_are_damaged():
    log, journal = run("journals", "--flips", "5")
    assert log["n"] == 5
    assert journal["noticed"] + journal["harmless"] == 10


@pytest.mark.no_cover
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_power_that_is_lost():
    (found,) = run("power_loss", "--images", "20", "--answers", "30")
    assert found["harmless"] == 20
    assert found["hot_journals"] > 0


@pytest.mark.no_cover
def test_files_that_are_moved_or_copied():
    accidents, copies = run("lost_files", "--trials", "5", "--copies", "4")
    assert accidents["noticed"] == 5
    assert copies["noticed"] + copies["harmless"] == 4


@pytest.mark.no_cover
def test_stores_that_are_crafted():
    (found,) = run("crafted", "--stores", "25")
    assert found["noticed"] > 10
    assert found["harmless"] > 5


@pytest.mark.no_cover
def test_several_processes_at_once():
    (found,) = run("many_processes", "--processes", "3", "--duration", "1", "--warmup", "0")
    assert found["n"] > 10


@pytest.mark.no_cover
def test_processes_that_are_killed():
    (found,) = run("kills", "--items", "150", "--processes", "2", "--kills", "3", "--seeds", "1")
    assert found["n"] == 3
    assert found["acknowledged"] <= found["labeled"] == 150
