"""Which images to label, for a net that tells their classes apart."""

from __future__ import annotations

from data import read_images
from model import make_model

from skactive.applications import Application, Sizes, main
from skactive.selectors import PowerTop
from skactive.strategies import BADGE, BALD, Auto, Margin, Random

APPLICATION = Application(
    title="Image classification",
    read=read_images,
    model=make_model,
    model_name="small convolutional net with dropout",
    strategies={
        "Random": Random(),
        "Margin": Margin(),
        "PowerBALD": BALD(n_samples=20, selector=PowerTop()),
        "BADGE": BADGE(),
        "Auto": Auto(),
    },
    chosen="Auto",
    scoring="accuracy",
    score_name="accuracy",
    sizes=Sizes(n_initial=20, batch_size=20, budget=120),
    full_sizes=Sizes(n_initial=20, batch_size=20, budget=300, n_pool=5000),
)

if __name__ == "__main__":
    main(APPLICATION)
