"""Cut off a store at each 512 bytes.

python tests/campaigns/truncation.py [--step 512]
"""

from collections import Counter

from _stores import (
    READERS,
    Tally,
    by_id,
    judge,
    judge_salvage,
    make_store,
    open_folder,
    parse_options,
    read_all,
    save_often,
)  # fmt: skip


def run_campaign(step):
    """Judge each cut, and what can be salvaged."""
    tally, salvaged = Tally("truncation"), Counter()
    with open_folder() as folder, save_often():
        path = folder / "labels.db"
        make_store(path)
        whole, expected = path.read_bytes(), read_all(path)
        stored = by_id(expected[0][0])
        for size in range(0, len(whole), step):
            path.write_bytes(whole[:size])
            outcome, description = judge(path, expected)
            if outcome == "harmless":
                outcome, description = "silent", "a store without its end is as it was"
            tally.add(outcome, f"{size} bytes, {description}")
            outcome, n_events, description = judge_salvage(path, stored)
            if outcome in {"silent", "raw"}:
                tally.add(outcome, f"{size} bytes, {description}")
            salvaged["stores"] += n_events > 0
            salvaged["events"] += n_events
    n = len(range(0, len(whole), step))
    tally.report(n, readers=len(READERS), events=len(stored), salvaged=salvaged)


if __name__ == "__main__":
    run_campaign(parse_options(__doc__, step=512).step)
