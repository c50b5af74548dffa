"""Labeled data in the formats that people have, and the small sets that come with the package."""

from skactive.datasets._bundled import find_bundled
from skactive.datasets._images import LabeledImages, read_image_folder
from skactive.datasets._sounds import LabeledSounds, read_sound, read_sound_folder

__all__ = [
    "LabeledImages",
    "LabeledSounds",
    "find_bundled",
    "read_image_folder",
    "read_sound",
    "read_sound_folder",
]
