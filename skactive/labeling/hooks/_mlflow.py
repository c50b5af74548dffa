"""MLflowHook: a session as a run of MLflow."""

from __future__ import annotations

from typing import Any, Self

from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.hooks._metrics import round_numbers, step

__all__ = ["MLflowHook"]


class MLflowHook:
    """Logs the numbers of each round as metrics of a run in MLflow.

    Over the labels that the model learned from it logs ``audit/accuracy`` with ``audit/low`` and
    ``audit/high`` (95 %, Clopper-Pearson), ``labels/all``, ``labels/learned``, ``round/number``,
    ``round/seconds``, ``seconds/fit``, ``seconds/query`` and ``stopping/...``, what each stopping
    criterion read. When the criterion says stop, the run gets the tag ``stop_reason``. It logs from
    the thread that fits, never while a person waits. Labels are not sent, nor ids or names.

    Parameters
    ----------
    run_id : str, default=None
        A run to log to; it stays open. None makes one, which :meth:`close` ends.
    experiment : str, default="skactive"
        Where to make it; an experiment that is not there is made.
    client : MlflowClient, default=None
        None makes one, for the server that ``MLFLOW_TRACKING_URI`` names. Without a server the
        whole package mlflow is needed: mlflow-skinny keeps no runs of its own.

    Attributes
    ----------
    run_id : str
        Of the run.

    Raises
    ------
    ImportError
        If mlflow is not installed (the extra "mlflow"), and no client is given.

    Notes
    -----
    A client is used, not MLflow's functions: for those the active run is one of the thread, and a
    session fits in another. MLflow's packages may report their use to its makers; the environment
    variable ``MLFLOW_DISABLE_TELEMETRY=true`` keeps them from it.

    Examples
    --------
    >>> from skactive.labeling import SessionEvent
    >>> from skactive.labeling.hooks import MLflowHook
    >>> class Printer:  # in real life: MLflowHook(experiment="flowers")
    ...     def log_metric(self, run_id, key, value, step):
    ...         print(f"{run_id}, {step} labels: {key} {value:.2f}")
    >>> hook = MLflowHook("a1b2", client=Printer())
    >>> hook.on_fit_end(SessionEvent("on_fit_end", 2, 11, metrics={"n_learned": 10}, seconds=0.25))
    a1b2, 10 labels: seconds/fit 0.25
    """

    def __init__(
        self, run_id: str | None = None, *, experiment: str = "skactive", client: Any = None
    ) -> None:
        self._client = _mlflow_client() if client is None else client
        self._own = run_id is None
        self.run_id = self._made(experiment) if run_id is None else run_id

    def on_fit_end(self, event: SessionEvent) -> None:
        """Log how long the fit took."""
        self._log({"seconds/fit": event.seconds}, event)

    def on_query_end(self, event: SessionEvent) -> None:
        """Log how long the query took."""
        self._log({"seconds/query": event.seconds}, event)

    def on_round_end(self, event: SessionEvent) -> None:
        """Log the numbers of the round."""
        self._log(round_numbers(event), event)

    def on_stop(self, event: SessionEvent) -> None:
        """Tag the run with why to stop."""
        self._client.set_tag(self.run_id, "stop_reason", event.reason)

    def close(self) -> None:
        """End the run, unless it was passed."""
        if self._own:
            self._client.set_terminated(self.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _made(self, name: str) -> str:
        known = self._client.get_experiment_by_name(name)
        where = self._client.create_experiment(name) if known is None else known.experiment_id
        return str(self._client.create_run(where).info.run_id)

    def _log(self, numbers: dict[str, float], event: SessionEvent) -> None:
        for key, value in numbers.items():
            self._client.log_metric(self.run_id, key, value, step=step(event))


def _mlflow_client() -> Any:
    try:
        from mlflow import MlflowClient  # late: an extra
    except ImportError as error:
        raise ImportError(
            'MLflowHook needs mlflow, which is not installed: pip install "skactive[mlflow]".'
        ) from error
    return MlflowClient()
