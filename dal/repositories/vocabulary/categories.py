"""Categories of templates: counted, renamed, merged."""

from __future__ import annotations

from dal.errors import NotFoundError, ValueRejectedError
from dal.gateways import CategoriesGateway, TemplatesGateway
from dal.records.page import check_limit
from dal.records.text import category_slug, free_text
from dal.records.vocabulary import Category, CategoryCount
from dal.repositories.base import changing, part
from dal.repositories.vocabulary.rules import TARGET, VocabularyRules

__all__ = ["CategoryRepository"]


@part("categories")
class CategoryRepository(VocabularyRules):
    """Categories: ``me.categories``. They are nobody's; templates are filed under them.

    One that no template uses is shown nowhere.
    """

    async def list_counts(self, *, limit: int = 500) -> list[CategoryCount]:
        """Categories by how many live templates in them the actor may see (all, for the system).

        Most first; one row for those without a category.

        Raises:
            ValueRejectedError: ``limit``.
        """
        categories = CategoriesGateway(self._scope)
        if self._by_system:
            return await categories.list_counts(limit_rows=check_limit(limit))
        return await categories.list_visible_counts(
            actor_id=self._scope.actor.id, limit_rows=check_limit(limit)
        )

    @changing
    async def rename(self, category: str, name: str) -> Category:
        """Give a category another name, and the slug of that, for an admin and the system.

        Raises:
            NotFoundError: no such category.
            PermissionDeniedError: the actor is neither admin nor the system.
            UniqueError: there is a category of that slug: merge them.
            ValueRejectedError: ``category`` or ``name`` is no name of a category.
        """
        action = "category.rename"
        slug = category_slug(category)
        new_slug = _slug("name", name)
        name = free_text("name", name).strip()
        await self._only_admins(action)
        (before,) = await self._lock_categories(slug)
        if (before.slug, before.name) == (new_slug, name):
            return before
        now = self._scope.clock.now()
        await CategoriesGateway(self._scope).update_name(
            category_id=before.id, slug=new_slug, category_name=name, now=now
        )
        await self._audit.write(
            action,
            TARGET,
            before.id,
            changes={
                "slug": {"from": before.slug, "to": new_slug},
                "name": {"from": before.name, "to": name},
            },
            at=now,
        )
        return Category(before.id, new_slug, name)

    @changing
    async def merge(self, category: str, into: str) -> int:
        """File the templates of one category under another, and delete the first; how many moved.

        For an admin and the system. Templates in a trash move too.

        Raises:
            NotFoundError: one of them is not there.
            PermissionDeniedError: the actor is neither admin nor the system.
            ValueRejectedError: no names of two categories.
        """
        action = "category.merge"
        slug, into_slug = category_slug(category), _slug("into", into)
        if slug == into_slug:
            raise ValueRejectedError("into: another category", field="into")
        await self._only_admins(action)
        old, new = await self._lock_categories(slug, into_slug)
        gateway = CategoriesGateway(self._scope)
        moved = await TemplatesGateway(self._scope).update_category(
            category_id=old.id, into_category_id=new.id
        )
        await gateway.delete_one(category_id=old.id)
        await self._audit.write(
            action,
            TARGET,
            old.id,
            changes={"slug": {"from": old.slug, "to": new.slug}},
            affected=moved,
        )
        return moved

    async def _lock_categories(self, *slugs: str) -> list[Category]:
        """Lock them, in order of their slugs; given in the order asked for."""
        rows = await CategoriesGateway(self._scope).lock_by_slugs(slugs=sorted(slugs))
        found = {row.slug: row for row in rows}
        if len(found) < len(slugs):
            raise NotFoundError("no such category")
        return [found[slug] for slug in slugs]


def _slug(field: str, name: str) -> str:
    """The slug of a name. Raises ValueRejectedError, by the name of the argument."""
    try:
        return category_slug(name)
    except ValueRejectedError as error:
        why = error.message.removeprefix("category: ")
        raise ValueRejectedError(f"{field}: {why}", field=field) from None
