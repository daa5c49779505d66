"""Metrics of a ranking, for each query: its documents are ordered by their score, and judged by their relevance.

Relevance is a number from 0 on; a document is relevant where it is more than 0. Documents of equal score are in no order:
the discounted gain is the mean over all orders (McSherry and Najork, "Computing Information Retrieval Performance Measures
Efficiently in the Presence of Tied Scores", 2008), and the others take the worst.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The documents in order of their query, then by score downwards, then from the least relevant.

    ``query`` numbers the queries from 0, ``rank`` the documents of each from 1. All have the length of the documents.
    """

    relevance: Numbers
    score: Numbers
    query: NDArray[np.intp]
    rank: NDArray[np.intp]
    queries: int


def ranked(query: NDArray[np.intp], relevance: Numbers, score: Numbers) -> Ranked:
    """``query`` has numbers of queries, each of which occurs."""
    import numpy as np

    order = np.lexsort((relevance, -score, query))
    query = query[order]
    count = np.bincount(query)
    start = np.cumsum(count) - count
    return Ranked(relevance[order], score[order], query, np.arange(len(query)) - start[query] + 1, len(count))


def ndcg(rows: Ranked, k: int | None) -> Numbers:
    """Normalised discounted cumulative gain, with the relevance as gain and log2(rank + 1) as discount.

    NaN for a query without a relevant document.
    """
    import numpy as np

    best = ranked(rows.query, rows.relevance, rows.relevance)
    ties = np.cumsum(np.append(True, (np.diff(rows.score) != 0) | (np.diff(rows.query) != 0))) - 1
    mean = (np.bincount(ties, rows.relevance) / np.bincount(ties))[ties]
    return _share(_gain(rows, mean, k), _gain(best, best.relevance, k))


def average_precision(rows: Ranked, k: int | None) -> Numbers:
    """The mean of the precision at each relevant document among the first ``k``, over as many as could be there.

    NaN for a query without a relevant document.
    """
    import numpy as np

    relevant = rows.relevance > 0
    before = np.cumsum(relevant)
    start = np.flatnonzero(rows.rank == 1)
    so_far: NDArray[np.intp] = before - (before[start] - relevant[start])[rows.query]
    among = relevant & _first(rows, k)
    found = _sums(rows, among * so_far / rows.rank)
    could = _sums(rows, relevant)
    return _share(found, could if k is None else np.minimum(could, k))


def reciprocal_rank(rows: Ranked, k: int | None) -> Numbers:
    """One over the rank of the first relevant document, 0 where it is not among the first ``k``.

    NaN for a query without a relevant document.
    """
    import numpy as np

    relevant = rows.relevance > 0
    found = np.zeros(rows.queries)
    among = relevant & _first(rows, k)
    np.maximum.at(found, rows.query[among], 1 / rows.rank[among])
    found[_sums(rows, relevant) == 0] = np.nan
    return found


def precision(rows: Ranked, k: int | None) -> Numbers:
    """The relevant documents among the first ``k``, over ``k``; also where a query has fewer documents."""
    assert k is not None
    return _sums(rows, (rows.relevance > 0) & _first(rows, k)) / k


def _gain(rows: Ranked, gain: Numbers, k: int | None) -> Numbers:
    import numpy as np

    return _sums(rows, gain / np.log2(rows.rank + 1) * _first(rows, k))


def _sums(rows: Ranked, values: NDArray[Any]) -> Numbers:
    """Of each query."""
    import numpy as np

    return np.bincount(rows.query, values, rows.queries).astype(np.float64)


def _first(rows: Ranked, k: int | None) -> NDArray[np.bool_]:
    import numpy as np

    return np.ones(len(rows.rank), np.bool_) if k is None else rows.rank <= k


def _share(part: Numbers, whole: Numbers) -> Numbers:
    import numpy as np

    found: Numbers = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return found
