"""Play object detection: ``python applications/object_detection/run.py --help``."""

from model import make_model, read
from scores import score_detector

from skactive import reductions
from skactive.applications import Application, Sizes, main
from skactive.strategies import Aggregate, BoxEntropy, BoxMargin, Random

WEIGHTS = [1.0, 10.0, 10.0, 1.0]  # red cells are ten times as frequent as each other; background

APPLICATION = Application(
    title="Object detection",
    read=read,
    model=make_model,
    model_name="small one-stage detector",
    strategies={
        "Random": Random(),
        "Weighted total": Aggregate(BoxMargin(WEIGHTS), reductions.total),
        "Entropy mean": BoxEntropy(reduction=reductions.mean),
    },
    chosen="Weighted total",
    scoring=score_detector,
    score_name="mean average precision",
    sizes=Sizes(n_initial=5, batch_size=5, budget=350),
    full_sizes=Sizes(n_initial=8, batch_size=8, budget=700),
)

if __name__ == "__main__":
    main(APPLICATION)
