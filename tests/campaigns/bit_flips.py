"""Flip single bits of a store at random, and read all of it.

    python tests/campaigns/bit_flips.py [--flips 2000] [--seed 0]

Half of the stores have a state that a session saved, from which the next session reads.
"""

from collections import Counter
from contextlib import ExitStack

import numpy as np
from _stores import (
    Tally,
    by_id,
    flip_bit,
    judge,
    judge_salvage,
    make_store,
    open_folder,
    parse_options,
    read_all,
    save_often,
)  # fmt: skip


def run_campaign(n_flips, seed):
    """Judge each flip, and what can be salvaged of the stores in which it is noticed."""
    tally, salvaged = Tally("bit flips"), Counter()
    for saved in (False, True):
        with open_folder() as folder, ExitStack() as stack:
            if saved:
                stack.enter_context(save_often())
            flip_bits(folder / "labels.db", n_flips // 2, seed + saved, tally, salvaged)
    tally.report(n_flips // 2 * 2, salvaged=salvaged)


def flip_bits(path, n_flips, seed, tally, salvaged):
    make_store(path)
    whole, expected = path.read_bytes(), read_all(path)
    stored, random = by_id(expected[0][0]), np.random.RandomState(seed)
    n_kept = sum(event.kind != "plan" for event in stored.values())
    for _ in range(n_flips):
        place = random.randint(8 * len(whole))
        path.write_bytes(flip_bit(whole, place))
        outcome, description = judge(path, expected)
        tally.add(outcome, f"bit {place}, {description}")
        if outcome == "noticed":
            outcome, n_events, description = judge_salvage(path, stored)
            salvaged[f"{n_kept - n_events} events missing"] += 1
            if outcome in {"silent", "raw"}:
                tally.add(outcome, f"bit {place}, {description}")


if __name__ == "__main__":
    options = parse_options(__doc__, flips=2000)
    run_campaign(options.flips, options.seed)
