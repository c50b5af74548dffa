"""Processes that are killed lose no answer; `make test-crash` plays the long campaign."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_no_answer_is_lost_when_processes_are_killed():
    script = Path(__file__).with_name("crash_campaign.py")
    command = [sys.executable, script, "--items", "240", "--processes", "2", "--kills", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["killed_at"]) == 5
    assert found["acknowledged"] <= found["labeled"] == 240
    assert (found["lost"], found["twice"], found["wrong"]) == (0, 0, 0)
