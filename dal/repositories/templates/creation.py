"""New templates: for the face, for imports, for forks. No door of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from dal.errors import ParentMissingError, TransientError, UsageError
from dal.gateways import (
    TemplateLabelMovesGateway,
    TemplateLabelsGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
)
from dal.records.ids import check_id
from dal.records.new_templates import NewTemplate
from dal.records.templates import Template, TemplateVersion
from dal.records.text import category_slug
from dal.records.vocabulary import Category, Tag
from dal.repositories.audit_writer import changes_between
from dal.repositories.templates.rows import (
    facts,
    label_rows,
    links,
    made,
    move_rows,
    no_owner,
    template_row,
    version_rows,
)
from dal.repositories.templates.rules import TARGET, TemplateRules, posting_rows
from dal.repositories.vocabulary.words import Vocabulary

__all__ = ["TemplateCreation", "again_if_merged"]

_SLUGS_AT_ONCE: Final = 10_000


class TemplateCreation(TemplateRules):
    """Rows of new templates with all that hangs on them, inside a changing method of a part."""

    def owner(self, action: str, owner_id: UUID | None) -> UUID:
        """Whose the new ones are to be.

        Raises:
            PermissionDeniedError: nobody's, or somebody else's; or the actor is a viewer.
            UsageError: the system says not whose.
        """
        actor = self._scope.actor
        if owner_id is not None:
            check_id("owner_id", owner_id)
        if self._by_system:
            if owner_id is None:
                raise UsageError("the system owns no templates: pass owner_id")
            return owner_id
        if actor.id is None:
            self._deny(action, TARGET, None, "templates are created by users")
        self._refuse_viewer(action, None)
        if owner_id is not None and owner_id != actor.id:
            self._deny(action, TARGET, None, "a user creates their own templates alone")
        return actor.id

    async def _lock_parents(
        self, owner: UUID, news: Sequence[NewTemplate], now: datetime
    ) -> dict[str, Category]:
        """Lock the owner; the categories by slug, made where they are missing."""
        names = [new.category for new in news if new.category is not None]
        slugs = sorted({category_slug(name) for name in names})
        if not slugs or len(slugs) > _SLUGS_AT_ONCE:
            if await self._users.lock_live(user_id=owner) is None:
                raise no_owner()
            return await Vocabulary(self._scope).categories(names, now)
        parents = await self._templates.lock_parents(owner_id=owner, slugs=slugs)
        if not parents:
            raise no_owner()
        known = [
            Category(parent.category_id, parent.slug, parent.name)
            for parent in parents
            if parent.category_id is not None
            and parent.slug is not None
            and parent.name is not None
        ]
        return await Vocabulary(self._scope).categories(names, now, known)

    async def create(
        self,
        action: str,
        new: NewTemplate,
        owner: UUID,
        forked_from: TemplateVersion | None = None,
    ) -> Template:
        """One template, for an owner that :meth:`owner` has given."""
        now = self._scope.clock.now()
        # The owner first, then the vocabulary: the order in which all who create take their locks.
        # Without a category the guarded insert is the first to touch anything, and locks the owner.
        found = await self._lock_parents(owner, [new], now) if new.category is not None else {}
        row = template_row(new, owner, found, now, forked_from)
        with again_if_merged():
            inserted = await self._templates.insert(**row)
        if not inserted:
            raise no_owner()
        words = await Vocabulary(self._scope).tags(new.tags, now)
        template = made(new, row, found, words)
        await self._insert_parts([(new, template)], words, now)
        await self._audit.write(
            action, TARGET, template.id, changes=changes_between(None, facts(template)), at=now
        )
        return template

    async def _insert_parts(
        self, pairs: Sequence[tuple[NewTemplate, Template]], words: Mapping[str, Tag], now: datetime
    ) -> None:
        """What hangs on templates that were just inserted."""
        await TemplateVersionsGateway(self._scope).insert_many(
            row for new, template in pairs for row in version_rows(new, template)
        )
        await TemplateTagsGateway(self._scope).insert_many(
            link for new, template in pairs for link in links(new, template.id, words, now)
        )
        labels = [row for new, template in pairs for row in label_rows(new, template, now)]
        if labels:
            await TemplateLabelsGateway(self._scope).insert_many(labels)
            await TemplateLabelMovesGateway(self._scope).insert_many(move_rows(labels, now))
        await self._postings.insert_many(
            row for _, template in pairs for row in posting_rows(template)
        )

    async def create_many(
        self, action: str, news: Sequence[NewTemplate], owner: UUID
    ) -> list[Template]:
        """Many at once: one INSERT per 1 MiB and table."""
        now = self._scope.clock.now()
        found = await self._lock_parents(owner, news, now)
        words = await Vocabulary(self._scope).tags((tag for new in news for tag in new.tags), now)
        rows = [template_row(new, owner, found, now) for new in news]
        with again_if_merged():
            await self._templates.insert_many(rows)
        created = [made(new, row, found, words) for new, row in zip(news, rows, strict=True)]
        await self._insert_parts(list(zip(news, created, strict=True)), words, now)
        await self._audit.write(
            action,
            TARGET,
            None,
            changes={"owner_id": {"from": None, "to": owner}},
            affected=len(news),
            at=now,
        )
        return created


@contextmanager
def again_if_merged() -> Iterator[None]:
    """Have the whole run again where a category is gone that was read: it was merged meanwhile."""
    try:
        yield
    except ParentMissingError as error:
        if error.constraint != "fk_templates_category":
            raise
        raise TransientError(
            "a category was merged into another meanwhile", statement=error.statement
        ) from None
