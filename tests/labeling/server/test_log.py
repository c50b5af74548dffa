"""Messages that are repeated are logged once and counted."""

import logging

import pytest

from skactive.labeling.server._log import _MAX_MESSAGES, RepeatFilter, filter_repeats

LOGGER = logging.getLogger("skactive.labeling.server")


def fail(text):
    try:
        raise RuntimeError(text)
    except RuntimeError:
        LOGGER.exception("It failed.")


def texts(caplog):
    return [record.getMessage() for record in caplog.records]


def test_repetitions_are_counted_until_the_summary(caplog):
    with filter_repeats() as repeats:
        for _ in range(1100):
            LOGGER.warning("Refused %s.", "somebody")
        LOGGER.warning("Once.")
        assert texts(caplog) == ["Refused somebody.", "Once."]
        repeats.summarize()
        assert texts(caplog)[2:] == ["Refused somebody. (1,099 times more)"]
        LOGGER.warning("Refused %s.", "somebody")
        LOGGER.warning("Refused %s.", "somebody")
    assert texts(caplog)[3:] == ["Refused somebody.", "Refused somebody. (once more)"]
    LOGGER.warning("Once.")
    LOGGER.warning("Once.")
    assert texts(caplog)[5:] == ["Once."] * 2  # the filter is gone


def test_a_traceback_is_logged_once_per_line_of_code(caplog):
    with filter_repeats():
        for number in range(50):
            fail(f"error {number}")
    assert caplog.text.count("Traceback") == 1
    assert "RuntimeError: error 0" in caplog.text
    assert "49 times more" in texts(caplog)[-1]


def test_different_messages_are_limited(caplog):
    with filter_repeats():
        for number in range(1000):
            LOGGER.warning("Refused %d.", number)
    assert len(texts(caplog)) == _MAX_MESSAGES + 1
    assert f"({1000 - _MAX_MESSAGES} times more)" in texts(caplog)[-1]


@pytest.mark.parametrize("info", [(None, None, None), None])
def test_an_error_without_a_traceback_is_a_message(info):
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "text", (), info)
    repeats = RepeatFilter()
    assert [repeats.filter(record) for _ in range(2)] == [True, False]
