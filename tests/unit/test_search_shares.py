"""The shares in which words are counted are all hashes, each once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dal.repositories.templates.search_statistics import shares


@given(st.integers(1, 2_000))
def test_every_hash_is_in_one_share(n: int) -> None:
    found = list(shares(n))
    assert len(found) == n
    assert found[0][0] == 0
    assert found[-1][1] == 2**63 - 1
    assert all(first <= last for first, last in found)
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(found))
