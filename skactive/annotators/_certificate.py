"""The promise of a router, as a sentence to quote."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Certificate"]

_PROMISES = {
    "set": "at most {share} of all labels of this pool are wrong",
    "accepted": "at most {share} of the labels of rows whose answers are sure enough are wrong",
    "per_class": (
        "of each class, at most {share} of the labels of rows whose answers are sure enough are "
        "wrong"
    ),
}


@dataclass(frozen=True)
class Certificate:
    """A promise about the labels of one pool.

    Attributes
    ----------
    guarantee : str
        "set", "accepted" or "per_class", as in :class:`Router`.
    max_error : float
        The largest share of wrong labels that is promised.
    confidence : float
        How often, at least, such promises are kept.
    n_rows : int
        Rows of the pool.
    n_audited : int
        Rows whose true labels were asked for.
    n_checked, n_wrong : int
        Answers that would be accepted and were audited, and the wrong ones among them.
    n_accepted : int or None
        Rows whose labels come from the annotators; None for several annotators, of which the
        dearer ones have not seen all rows yet.
    share_accepted : float
        Their share; estimated from the audit for several annotators.
    pool : str
        A digest of the rows.
    """

    guarantee: str
    max_error: float
    confidence: float
    n_rows: int
    n_audited: int
    n_checked: int
    n_wrong: int
    n_accepted: int | None
    share_accepted: float
    pool: str

    def __str__(self) -> str:
        if not self.share_accepted:
            return (
                f"No answers of annotators can be accepted: {self.n_audited} audited rows do not "
                f"show that at most {self.max_error:.3g} would be wrong. People label all rows."
            )
        share = f"{100 * self.max_error:.3g} %"
        n = f"{self.n_accepted:,} labels" if self.n_accepted is not None else "The labels of about"
        verb = "come" if self.n_accepted is not None else "of the rows come"
        return (
            f"With {100 * self.confidence:.3g} % confidence, "
            f"{_PROMISES[self.guarantee].format(share=share)}, if those of people are right. "
            f"{n} ({100 * self.share_accepted:.0f} %) {verb} from annotators; of "
            f"{self.n_checked:,} of their answers that were audited, {self.n_wrong:,} were wrong. "
            "Other rows are not covered."
        )
