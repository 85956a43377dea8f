"""Tags of templates: counted."""

from __future__ import annotations

from dal.gateways import TagsGateway
from dal.records.page import check_limit
from dal.records.vocabulary import TagCount
from dal.repositories.base import part
from dal.repositories.vocabulary.rules import VocabularyRules

__all__ = ["TagRepository"]


@part("tags")
class TagRepository(VocabularyRules):
    """Tags: ``me.tags``. They are nobody's, and are told apart byte by byte."""

    async def list_counts(self, *, limit: int = 500) -> list[TagCount]:
        """Tags by how many live templates that carry them the actor may see (all, for the system).

        Most first.

        Raises:
            ValueRejectedError: ``limit``.
        """
        tags = TagsGateway(self._scope)
        if self._by_system:
            return await tags.list_counts(limit_rows=check_limit(limit))
        return await tags.list_visible_counts(
            actor_id=self._scope.actor.id, limit_rows=check_limit(limit)
        )
