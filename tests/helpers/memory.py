"""How much memory a call takes."""

import tracemalloc


def measure_peak(call):
    """Return the bytes that a call holds at most, of what Python and NumPy allocate."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
