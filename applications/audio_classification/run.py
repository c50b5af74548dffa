"""Which sounds to label, for a net that tells their classes apart."""

from __future__ import annotations

from data import read_sounds
from model import make_model

from skactive.applications import Application, Sizes, main
from skactive.selectors import PowerTop
from skactive.strategies import BADGE, BALD, Auto, Margin, Random

APPLICATION = Application(
    title="Audio classification",
    read=read_sounds,
    model=make_model,
    model_name="small convolutional net of log-mel spectrograms",
    strategies={
        "Random": Random(),
        "Margin": Margin(),
        "PowerBALD": BALD(n_samples=20, selector=PowerTop()),
        "BADGE": BADGE(),
        "Auto": Auto(),
    },
    chosen="BADGE",
    scoring="accuracy",
    score_name="accuracy",
    sizes=Sizes(n_initial=20, batch_size=20, budget=120),
    full_sizes=Sizes(n_initial=20, batch_size=10, budget=160),
)

if __name__ == "__main__":
    main(APPLICATION)
