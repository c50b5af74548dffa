"""Play active learning of translation: python applications/translation/run.py --help."""

from model import bleu, make_model, read
from strategy import PhraseCoverage

from skactive.applications import Application, Sizes, main
from skactive.strategies import HypothesisConfidence, Random

APPLICATION = Application(
    title="Translation",
    read=read,
    model=make_model,
    model_name="recurrent net with attention",
    strategies={
        "Random": Random(),
        "PhraseCoverage": PhraseCoverage(),
        "HypothesisConfidence": HypothesisConfidence(),
    },
    chosen="PhraseCoverage",
    scoring=bleu,
    score_name="BLEU",
    sizes=Sizes(n_initial=60, batch_size=50, budget=1_800),
    full_sizes=Sizes(n_initial=200, batch_size=200, budget=12_000, n_pool=8_000),
)

if __name__ == "__main__":
    main(APPLICATION)
