"""Sentiment: which reviews to label. ``python run.py --help`` lists the options."""

from model import make_model, read

from skactive.applications import Application, Sizes, main
from skactive.strategies import BADGE, Auto, Margin, Random

APPLICATION = Application(
    title="Sentiment",
    read=read,
    model=make_model,
    model_name="net over word vectors learned from all texts",
    strategies={"Random": Random(), "Margin": Margin(), "BADGE": BADGE(), "Auto": Auto()},
    chosen="Margin",
    scoring="accuracy",
    score_name="accuracy",
    sizes=Sizes(n_initial=40, batch_size=40, budget=200, n_pool=800),
    full_sizes=Sizes(n_initial=30, batch_size=30, budget=600, n_pool=4000),
)

if __name__ == "__main__":
    main(APPLICATION)
