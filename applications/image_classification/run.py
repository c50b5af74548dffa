"""Which images to label, for a net that tells objects apart."""

from __future__ import annotations

from model import make_model, read_images

from skactive.applications import Application, Sizes, main
from skactive.strategies import BADGE, BALD, Auto, Margin, Random

APPLICATION = Application(
    title="Image classification",
    read=read_images,
    model=make_model,
    model_name="convolutional net with dropout",
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
    sizes=Sizes(n_initial=20, batch_size=20, budget=100),
    full_sizes=Sizes(n_initial=20, batch_size=40, budget=300, n_pool=3000),
)

if __name__ == "__main__":
    main(APPLICATION)
