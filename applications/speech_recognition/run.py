"""Speech recognition: which recordings to have written down."""

from data import read
from model import make_model, word_accuracy

from skactive.applications import Application, Sizes, main
from skactive.strategies import Auto, HypothesisConfidence, HypothesisMargin, Random

APPLICATION = Application(
    title="Speech recognition",
    read=read,
    model=make_model,
    model_name="convolutional net with CTC",
    strategies={
        "Random": Random(),
        "HypothesisConfidence": HypothesisConfidence(),
        "HypothesisMargin": HypothesisMargin(),
        "Auto": Auto(uncertainty=HypothesisConfidence()),
    },
    chosen="HypothesisConfidence",
    scoring=word_accuracy,
    score_name="word accuracy",
    sizes=Sizes(n_initial=12, batch_size=15, budget=80),
    full_sizes=Sizes(n_initial=20, batch_size=25, budget=150, n_pool=400),
)

if __name__ == "__main__":
    main(APPLICATION)
