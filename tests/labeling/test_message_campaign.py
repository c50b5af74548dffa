"""No message breaks the server or the labels; ``message_campaign.py`` sends thousands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


def test_hostile_messages_break_nothing():
    script = Path(__file__).with_name("message_campaign.py")
    command = [sys.executable, script, "--messages", "200", "--seed", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["sent"] == 242
    assert found["replies"]["200 ok"] > 40
    assert found["labels_acknowledged"] > 20
    assert (found["labels_lost"], found["labels_never_sent"]) == (0, 0)
    assert (found["raw_errors"], found["other_faults"]) == (0, 0)
    assert found["log_bytes"] < 4000
