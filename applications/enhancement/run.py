"""Which noisy recordings are worth a clean one, for a net that removes the noise."""

from __future__ import annotations

from data import read
from model import make_model, mean_improvement

from skactive.applications import Application, Sizes, main
from skactive.strategies import (
    Aggregate,
    Auto,
    EnergyWeightedVariance,
    KCenterGreedy,
    PerCost,
    PredictiveStd,
    Random,
)

APPLICATION = Application(
    title="Audio enhancement",
    read=read,
    model=make_model,
    model_name="small net of masks for spectrograms",
    strategies={
        "Random": Random(),
        "Deviation": Aggregate(PredictiveStd()),
        "Energy variance": EnergyWeightedVariance(),
        "Energy variance per second": PerCost(EnergyWeightedVariance()),
        "KCenterGreedy": KCenterGreedy(),
        "Auto": Auto(uncertainty=EnergyWeightedVariance()),
    },
    chosen="Energy variance per second",
    scoring=mean_improvement,
    score_name="dB SI-SDR gained",
    sizes=Sizes(n_initial=10, batch_size=15, budget=18, n_pool=150),
    full_sizes=Sizes(n_initial=10, batch_size=10, budget=18, n_pool=250),
)

if __name__ == "__main__":
    main(APPLICATION)
