"""Signals: the first waits for what is being stored, a second does not."""

import os
import signal

import pytest

from skactive.labeling.terminal._signals import Signals, StoppedError


def test_signals_wait_for_what_is_being_done():
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        done = True  # and nothing was raised here
        with pytest.raises(StoppedError), signals.listening():
            pytest.fail("what was asked to stop went on")
    assert done
    with Signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError):
            os.kill(os.getpid(), signal.SIGTERM)
    with Signals() as signals, pytest.raises(StoppedError), signals.listening():
        os.kill(os.getpid(), signal.SIGINT)
