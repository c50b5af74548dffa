"""Tools to test strategies and adapters: a pool of random readings, and checks for each kind.

Third parties test their own strategies in three lines::

    from skactive.testing import parametrize_with_strategy_checks

    @parametrize_with_strategy_checks([MyStrategy(), MyStrategy(beta=2)])
    def test_strategy(strategy, check):
        check(strategy)

and their models, with the adapters that read them, in three more::

    from skactive.testing import parametrize_with_adapter_checks

    @parametrize_with_adapter_checks([(MyTagger().fit(X, y), X)])
    def test_model(model, X, check):
        check(model, X)
"""

from skactive.testing._adapter_checks import adapter_checks, parametrize_with_adapter_checks
from skactive.testing._fake_pool import FakePool
from skactive.testing._strategy_checks import parametrize_with_strategy_checks, strategy_checks

__all__ = [
    "FakePool",
    "adapter_checks",
    "parametrize_with_adapter_checks",
    "parametrize_with_strategy_checks",
    "strategy_checks",
]
