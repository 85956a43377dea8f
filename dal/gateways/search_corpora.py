"""The table search_corpora. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime

import attrs

from dal.records.search import SearchCorpus
from dal.session import Executor
from dal.statements import house

__all__ = ["SearchCorporaGateway"]

_FIND = house().find("search_corpora/find", SearchCorpus)
_UPSERT = house().affected("search_corpora/upsert")


@attrs.frozen(slots=True)
class SearchCorporaGateway:
    """A method per file of ``sql/search_corpora/``."""

    executor: Executor

    async def find(self, *, corpus: str) -> SearchCorpus | None:
        """Read how many public texts there were when they were last counted."""
        return await self.executor.find(_FIND, corpus=corpus)

    async def upsert(self, *, corpus: str, documents: int, now: datetime) -> int:
        """Write how many public texts there are."""
        return await self.executor.affected(_UPSERT, corpus=corpus, documents=documents, now=now)
