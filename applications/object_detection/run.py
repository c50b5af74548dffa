"""Play object detection: ``python applications/object_detection/run.py --help``."""

from model import make_model, read
from scores import score_detector

from skactive import reductions
from skactive.applications import Application, Sizes, main
from skactive.strategies import Aggregate, BoxMargin, Entropy, Random

DOUBT = BoxMargin("balanced", background=True)  # of a box; rare classes count for more

APPLICATION = Application(
    title="Object detection",
    read=read,
    model=make_model,
    model_name="small one-stage detector",
    strategies={
        "Random": Random(),
        "Balanced total": Aggregate(DOUBT, reductions.total),
        "Balanced mean": Aggregate(DOUBT, reductions.mean),
        "Entropy maximum": Aggregate(Entropy(), reductions.maximum),
    },
    chosen="Balanced total",
    scoring=score_detector,
    score_name="mean average precision",
    sizes=Sizes(n_initial=4, batch_size=6, budget=150),
    full_sizes=Sizes(n_initial=4, batch_size=4, budget=220, n_pool=200),
)

if __name__ == "__main__":
    main(APPLICATION)
