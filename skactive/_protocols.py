"""scikit-learn's protocols of a learner: routing, tags, whether it is fitted, and its diagram."""

from __future__ import annotations

from typing import Any

from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from skactive._needs import reads_labels
from skactive._utils.compat import VisualBlock

__all__ = ["FollowsProtocols"]


class FollowsProtocols:
    """A mixin with the methods by which scikit-learn asks a learner about itself."""

    estimator: Any
    embedder: Any
    incremental: bool
    _get_strategy: Any
    _has_model: Any
    _is_waiting: Any
    _knows_one_class: Any

    def get_metadata_routing(self) -> MetadataRouter:
        """Get the metadata routing of `fit` (which `teach` shares) and `score`.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        verb = "partial_fit" if self.incremental else "fit"
        mapping = MethodMapping().add(caller="fit", callee=verb)
        mapping.add(caller="score", callee="score")
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator, method_mapping=mapping
        )

    def __sklearn_is_fitted__(self) -> bool:
        return self._has_model() or (self._is_waiting() and self._knows_one_class())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        if tags.estimator_type == "classifier" and reads_labels(self._get_strategy()):
            tags.target_tags.multi_output = False  # such strategies are for one label per row
            if tags.classifier_tags is not None:
                tags.classifier_tags.multi_label = False
        return tags

    def _sk_visual_block_(self) -> Any:
        parts = [("estimator", self.estimator), ("strategy", self._get_strategy())]
        if self.embedder is not None:
            parts.append(("embedder", self.embedder))
        return VisualBlock(
            "parallel",
            [part for _, part in parts],
            names=[f"{name}: {type(part).__name__}" for name, part in parts],
            name_details=[str(part) for _, part in parts],
        )
