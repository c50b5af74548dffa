"""MLflowHook: a session as a run of MLflow."""

from __future__ import annotations

from typing import Any, Self

from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.hooks._metrics import collect_metrics, get_step

__all__ = ["MLflowHook"]


class MLflowHook:
    """Hook that logs the metrics of each round to a run of MLflow.

    The step is the number of labels that the model learned from. The metrics are
    ``audit/accuracy`` with ``audit/low`` and ``audit/high`` (95 %, Clopper-Pearson),
    ``labels/all``, ``labels/learned``, ``round/number``, ``round/seconds``, ``seconds/fit``,
    ``seconds/query``, and ``stopping/...`` with the value of each stopping criterion. When the
    criterion says stop, the run gets the tag ``stop_reason``. Logging happens in the thread that
    fits, never while a person waits. Labels, ids and names are not sent.

    Parameters
    ----------
    run_id : str, default=None
        An existing run to log to; it stays open. None creates one, which :meth:`close` ends.
    experiment : str, default="skactive"
        Name of the experiment of a new run; it is created if it does not exist.
    client : MlflowClient, default=None
        The client. None creates one for the server that ``MLFLOW_TRACKING_URI`` names. Without a
        server the full package mlflow is needed: mlflow-skinny cannot store runs itself.

    Attributes
    ----------
    run_id : str
        Id of the run.

    Raises
    ------
    ImportError
        If mlflow is not installed (the extra "mlflow"), and no client is given.

    Notes
    -----
    The hook uses a client and not MLflow's functions, whose active run belongs to one thread,
    while a session fits in another. MLflow's packages may report their usage to its developers;
    the environment variable ``MLFLOW_DISABLE_TELEMETRY=true`` prevents that.

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
        self._client = _make_client() if client is None else client
        self._owns_run = run_id is None
        self.run_id = self._create_run(experiment) if run_id is None else run_id

    def on_fit_end(self, event: SessionEvent) -> None:
        """Log the duration of the fit."""
        self._log({"seconds/fit": event.seconds}, event)

    def on_query_end(self, event: SessionEvent) -> None:
        """Log the duration of the query."""
        self._log({"seconds/query": event.seconds}, event)

    def on_round_end(self, event: SessionEvent) -> None:
        """Log the metrics of the round."""
        self._log(collect_metrics(event), event)

    def on_stop(self, event: SessionEvent) -> None:
        """Tag the run with the reason to stop."""
        self._client.set_tag(self.run_id, "stop_reason", event.reason)

    def close(self) -> None:
        """End the run, unless it was passed."""
        if self._owns_run:
            self._client.set_terminated(self.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create_run(self, experiment: str) -> str:
        existing = self._client.get_experiment_by_name(experiment)
        if existing is None:
            experiment_id = self._client.create_experiment(experiment)
        else:
            experiment_id = existing.experiment_id
        return str(self._client.create_run(experiment_id).info.run_id)

    def _log(self, metrics: dict[str, float], event: SessionEvent) -> None:
        for key, value in metrics.items():
            self._client.log_metric(self.run_id, key, value, step=get_step(event))


def _make_client() -> Any:
    try:
        from mlflow import MlflowClient  # late: an extra
    except ImportError as error:
        raise ImportError(
            'MLflowHook needs mlflow, which is not installed: pip install "skactive[mlflow]".'
        ) from error
    return MlflowClient()
