"""Queries of apricot, which compiles at the first call.

Its "euclidean" is squared; the distances here are not.
"""

from importlib.metadata import version

from apricot import FacilityLocationSelection
from sklearn.metrics import pairwise_distances

VERSION = version("apricot-select")


def facility_location(data):
    def query():
        distances = pairwise_distances(data.X)
        similarities = (distances.max() - distances).astype("float64")
        return FacilityLocationSelection(data.k, "precomputed").fit(similarities).ranking

    return query


QUERIES = {"facility-location": facility_location}
