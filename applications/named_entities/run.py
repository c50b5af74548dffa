"""Play active learning of named entities: python applications/named_entities/run.py --help."""

from model import make_model, read
from scores import entity_f1

from skactive import reductions
from skactive.applications import Application, Sizes, main
from skactive.strategies import MNLP, Aggregate, LeastConfidence, Random

APPLICATION = Application(
    title="Named entities",
    read=read,
    model=make_model,
    model_name="linear tagger of hashed features",
    strategies={
        "MNLP": MNLP(),
        "TotalDoubt": Aggregate(LeastConfidence(), reductions.total),
        "Random": Random(),
    },
    chosen="MNLP",
    scoring=entity_f1,
    score_name="entity F1",
    sizes=Sizes(n_initial=80, batch_size=40, budget=4_500),
    full_sizes=Sizes(n_initial=100, batch_size=80, budget=9_000),
)

if __name__ == "__main__":
    main(APPLICATION)
