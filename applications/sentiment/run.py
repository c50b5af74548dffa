"""Sentiment: which reviews to label. ``python run.py --help`` lists the options."""

from model import make_model, read

from skactive.applications import Application, Sizes, main
from skactive.strategies import BADGE, Auto, Margin, Random

APPLICATION = Application(
    title="Sentiment",
    read=read,
    model=make_model,
    model_name="TF-IDF and vectors of words of all texts, logistic regression",
    strategies={"Random": Random(), "Margin": Margin(), "BADGE": BADGE(), "Auto": Auto()},
    chosen="Auto",
    scoring="accuracy",
    score_name="accuracy",
    sizes=Sizes(n_initial=40, batch_size=40, budget=400, n_pool=1000),
    full_sizes=Sizes(n_initial=50, batch_size=50, budget=1000, n_pool=6000),
)

if __name__ == "__main__":
    main(APPLICATION)
