"""Keys that repeat: ignored until they stop, with a clock of the test."""

import pytest

from skactive.labeling.terminal._repeats import KeyRepeats


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def press():
    """Return a function that presses a key after a pause, and returns whether it is a repeat."""
    clock = Clock()
    repeats = KeyRepeats(clock)

    def press(key, pause):
        clock.now += pause
        return repeats.is_repeated(key)

    press.note_change = repeats.note_change
    return press


def test_a_key_that_is_held_is_ignored_as_long_as_it_is_held(press):
    press.note_change("1")
    assert all(press("1", 0.1) for _ in range(50))
    assert not press("1", 0.2)


def test_another_key_is_served_and_ends_the_wait(press):
    press.note_change("1")
    assert not press("2", 0.01)
    assert not press("1", 0.01)


def test_before_any_change_no_key_is_a_repeat(press):
    assert not press("1", 0.0)
    assert not press("", 0.0)
