"""Labelling in the terminal, and what all places to label begin with: campaigns."""

from skactive.labeling.terminal._campaign import Campaign, open_campaign, read_campaign

__all__ = ["Campaign", "open_campaign", "read_campaign"]
