"""Which sounds to label, for a net that tells kinds of sounds apart."""

from __future__ import annotations

from model import make_model, read_sounds

from skactive.applications import Application, Sizes, main
from skactive.strategies import BADGE, BALD, Auto, Margin, Random

APPLICATION = Application(
    title="Audio classification",
    read=read_sounds,
    model=make_model,
    model_name="convolutional net of log-mel spectrograms",
    strategies={
        "Random": Random(),
        "Margin": Margin(),
        "BALD": BALD(n_samples=10),
        "BADGE": BADGE(),
        "Auto": Auto(),
    },
    chosen="BADGE",
    scoring="accuracy",
    score_name="accuracy",
    sizes=Sizes(n_initial=20, batch_size=20, budget=80),
    full_sizes=Sizes(n_initial=20, batch_size=30, budget=260),
)

if __name__ == "__main__":
    main(APPLICATION)
