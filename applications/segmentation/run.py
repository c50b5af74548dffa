"""Segmentation: which images, or which regions of images, to draw masks for."""

from data import UNKNOWN, cut_into_regions, read
from model import make_model, mean_iou

from skactive import reductions
from skactive.applications import Application, Sizes, Variant, main
from skactive.simulation import Elements
from skactive.strategies import Aggregate, Margin, Random, RegionImpurity

REGIONS = {"oracle": Elements(unknown=UNKNOWN, groups=cut_into_regions), "batch_size": 96}

APPLICATION = Application(
    title="Segmentation",
    read=read,
    model=make_model,
    strategies={
        "Random": Random(),
        "Margin": Aggregate(Margin(), reductions.mean),
        "Random regions": Variant(Random(), **REGIONS),
        "Margin regions": Variant(Aggregate(Margin()), **REGIONS),
        "Impurity regions": Variant(RegionImpurity(), **REGIONS),
    },
    chosen="Margin regions",
    scoring=mean_iou,
    score_name="mean IoU",
    sizes=Sizes(n_initial=4, batch_size=6, budget=28 * 64 * 64),
    full_sizes=Sizes(n_initial=6, batch_size=6, budget=66 * 64 * 64, n_pool=300),
)

if __name__ == "__main__":
    main(APPLICATION)
