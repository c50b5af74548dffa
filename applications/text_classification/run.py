"""Text classification: which texts to label. ``python run.py --help`` lists the options."""

from model import make_model, read

from skactive.applications import Application, Sizes, main
from skactive.strategies import BADGE, Auto, Margin, Random

APPLICATION = Application(
    title="Text classification",
    read=read,
    model=make_model,
    model_name="TF-IDF and latent semantics of all texts, logistic regression",
    strategies={"Random": Random(), "Margin": Margin(), "BADGE": BADGE(), "Auto": Auto()},
    chosen="Auto",
    scoring="accuracy",
    score_name="accuracy",
    sizes=Sizes(n_initial=20, batch_size=20, budget=160, n_pool=1000),
    full_sizes=Sizes(n_initial=20, batch_size=20, budget=300, n_pool=5000),
)

if __name__ == "__main__":
    main(APPLICATION)
