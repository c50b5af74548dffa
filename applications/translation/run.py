"""Play active learning of translation: python applications/translation/run.py --help."""

from model import bleu, make_model, read

from skactive.applications import Application, Sizes, main
from skactive.strategies import FacilityLocation, HypothesisConfidence, Random, UHerding

APPLICATION = Application(
    title="Translation",
    read=read,
    model=make_model,
    model_name="recurrent net with attention",
    strategies={
        "HypothesisConfidence": HypothesisConfidence(),
        "FacilityLocation": FacilityLocation(),
        "UHerding": UHerding(HypothesisConfidence()),
        "Random": Random(),
    },
    chosen="HypothesisConfidence",
    scoring=bleu,
    score_name="BLEU",
    sizes=Sizes(n_initial=60, batch_size=50, budget=1_800),
    full_sizes=Sizes(n_initial=300, batch_size=300, budget=18_000, n_pool=4_000),
)

if __name__ == "__main__":
    main(APPLICATION)
