"""Labeled data in the formats that people have, and the small sets that come with the package."""

from skactive.datasets._bundled import find_bundled
from skactive.datasets._coco import CocoBoxes, read_coco
from skactive.datasets._images import LabeledImages, read_image_folder
from skactive.datasets._masks import SegmentedImages, read_mask_folder
from skactive.datasets._pairs import TextPairs, read_pairs
from skactive.datasets._sentences import TaggedSentences, read_conll, read_tagged_json
from skactive.datasets._sounds import LabeledSounds, read_sound, read_sound_folder
from skactive.datasets._texts import Texts, read_split_texts, read_texts

__all__ = [
    "CocoBoxes",
    "LabeledImages",
    "LabeledSounds",
    "SegmentedImages",
    "TaggedSentences",
    "TextPairs",
    "Texts",
    "find_bundled",
    "read_coco",
    "read_conll",
    "read_image_folder",
    "read_mask_folder",
    "read_pairs",
    "read_sound",
    "read_sound_folder",
    "read_split_texts",
    "read_tagged_json",
    "read_texts",
]
