"""Segmentation: which images, or which regions of images, to draw masks for."""

from data import UNKNOWN, cut_into_regions, read
from model import make_model, mean_iou

from skactive import reductions
from skactive.applications import Application, Sizes, Variant, main
from skactive.simulation import Elements
from skactive.strategies import Aggregate, Entropy, Random, RegionImpurity

REGIONS = {"oracle": Elements(unknown=UNKNOWN, groups=cut_into_regions), "per_row": 16}

APPLICATION = Application(
    title="Segmentation",
    read=read,
    model=make_model,
    model_name="small U-Net",
    strategies={
        "Random": Random(),
        "Entropy": Aggregate(Entropy(), reductions.mean),
        "Random regions": Variant(Random(), **REGIONS),
        "Impurity regions": Variant(RegionImpurity(), **REGIONS),
    },
    chosen="Entropy",
    scoring=mean_iou,
    score_name="mean IoU",
    sizes=Sizes(n_initial=2, batch_size=2, budget=14 * 64 * 64),
    full_sizes=Sizes(n_initial=3, batch_size=3, budget=24 * 64 * 64, n_pool=300),
)

if __name__ == "__main__":
    main(APPLICATION)
