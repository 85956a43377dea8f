"""Templates: what most callers need of them, and the doors to the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Unpack, cast
from uuid import UUID

import attrs

from dal.errors import NotFoundError, StaleVersionError
from dal.gateways import TemplateTagsGateway
from dal.records.clock import check_time, later
from dal.records.ids import check_id
from dal.records.keep import KEEP, Keep
from dal.records.new_templates import DETAILS, NewTemplate
from dal.records.page import Key, Page, check_limit, page_of, start_by_time
from dal.records.templates import Template, TemplateHit, TemplateRow, TemplateSummary, Visibility
from dal.records.text import category_slug, tag_key
from dal.records.vocabulary import Tag
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.repositories.templates.creation import TemplateCreation, again_if_merged
from dal.repositories.templates.exchange import TemplateExchange
from dal.repositories.templates.labels import TemplateLabels
from dal.repositories.templates.ratings import TemplateRatings
from dal.repositories.templates.rows import checked_details
from dal.repositories.templates.rules import TARGET, TemplateRules
from dal.repositories.templates.search import TemplateSearches
from dal.repositories.templates.search_statistics import TemplateSearchStatistics
from dal.repositories.templates.trash import TemplateTrash
from dal.repositories.templates.usage import TemplateUsage
from dal.repositories.templates.versions import TemplateVersions
from dal.repositories.vocabulary.words import Vocabulary
from dal.search import Sort, TemplateFilters

__all__ = ["TemplateRepository"]


def _key(row: TemplateSummary) -> Key:
    return (row.created_at, row.id)


@part("templates")
class TemplateRepository(TemplateRules):
    """Templates: private to their owner, or public. Deleted ones are in the owner's trash.

    A template is seen while it and its owner are live.
    """

    # ------------------------------------------------------------------- doors

    @property
    def versions(self) -> TemplateVersions:
        """Versions: get, list_of, diff, commit, rollback, fork, delete."""
        return TemplateVersions(self._scope)

    @property
    def labels(self) -> TemplateLabels:
        """Labels: which version is in production."""
        return TemplateLabels(self._scope)

    @property
    def ratings(self) -> TemplateRatings:
        """Ratings by users."""
        return TemplateRatings(self._scope)

    @property
    def usage(self) -> TemplateUsage:
        """Uses, and numbers of everything."""
        return TemplateUsage(self._scope)

    @property
    def trash(self) -> TemplateTrash:
        """What is deleted: seen, counted, purged."""
        return TemplateTrash(self._scope)

    @property
    def exchange(self) -> TemplateExchange:
        """Many at once: create_many, export, stream."""
        return TemplateExchange(self._scope)

    @property
    def search_statistics(self) -> TemplateSearchStatistics:
        """What the search knows of words."""
        return TemplateSearchStatistics(self._scope)

    # -------------------------------------------------------------------- read

    async def get(self, template_id: UUID) -> Template:
        """A live template with its text: one's own or a public one; any for the system.

        Raises:
            NotFoundError: not there, deleted, its owner deleted, or not visible to this actor.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        return await self._get(check_id("template_id", template_id))

    async def find(self, template_id: UUID) -> Template | None:
        """As :meth:`get`, or None.

        Raises:
            ValueRejectedError: ``template_id`` is no UUID.
        """
        try:
            return await self.get(template_id)
        except NotFoundError:
            return None

    async def exists(self, template_id: UUID) -> bool:
        """Whether :meth:`get` would give it.

        Raises:
            ValueRejectedError: ``template_id`` is no UUID.
        """
        return await self._is_there(check_id("template_id", template_id))

    async def list_mine(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The actor's live templates, newest first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        at, last = start_by_time("templates.list_mine", after)
        rows = await self._templates.list_own(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_mine", rows, limit, _key)

    async def list_public(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The public templates of live owners, newest first.

        Raises:
            ValueRejectedError: ``limit`` or ``after``.
        """
        at, last = start_by_time("templates.list_public", after)
        rows = await self._templates.list_public(
            before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_public", rows, limit, _key)

    async def list_all(self, *, limit: int = 50, after: str | None = None) -> Page[TemplateSummary]:
        """All live templates of live owners, newest first, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``limit`` or ``after``.
        """
        self._only_system()
        at, last = start_by_time("templates.list_all", after)
        rows = await self._templates.list_all(
            before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_all", rows, limit, _key)

    async def search(
        self,
        text: str | None = None,
        *,
        sort: Sort | str | None = None,
        limit: int = 20,
        after: str | None = None,
        **filters: Unpack[TemplateFilters],
    ) -> Page[TemplateHit]:
        """Live templates that the actor may see, by words and filters.

        Words are looked for in name, description, content, tags and credited author, whatever
        their case, accents and endings; Chinese, Japanese and Korean ones wherever they stand. A
        template is found by any of them, and ranked by how many, how rare and how often. Nothing
        that is typed is an operator.

        With words, the pages lead to the best SEARCH_DEPTH hits and no further, in whichever
        order. Words that nearly every template has are looked for in the most used ones alone. A
        template is found from the commit on that made or changed it; a search in the transaction
        that did still finds what was there before.

        Args:
            text: up to 1,000 characters.
            sort: ``relevance`` (with a text alone, and then unless said otherwise), ``newest``
                (else), ``oldest``, ``popular``, ``trending`` or ``rating``.
            filters: see :class:`TemplateFilters`.

        Raises:
            ValueRejectedError: an argument cannot be; ``field`` names it.
            PermissionDeniedError: ``mine``, and the actor is no user.
        """
        return await TemplateSearches(self._scope).search(
            text, sort=sort, limit=limit, after=after, **filters
        )

    async def count_mine(self) -> int:
        """How many live templates the actor has.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._templates.count_own(actor_id=self._me())

    async def count_public(self) -> int:
        """How many public templates of live owners there are."""
        return await self._templates.count_public()

    async def count_all(self) -> int:
        """How many live templates of live owners there are, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        self._only_system()
        return await self._templates.count_all()

    async def count_search(
        self, text: str | None = None, **filters: Unpack[TemplateFilters]
    ) -> int:
        """How many hits all pages of :meth:`search` have together.

        Of a search by words that is what it found, at most SEARCH_DEPTH, which means that many or
        more.

        Raises:
            ValueRejectedError: an argument cannot be; ``field`` names it.
            PermissionDeniedError: ``mine``, and the actor is no user.
        """
        return await TemplateSearches(self._scope).count(text, **filters)

    # ------------------------------------------------------------------ change

    @changing
    async def create(
        self,
        *,
        name: str,
        content: str,
        description: str | None = None,
        system_prompt: str | None = None,
        author_name: str | None = None,
        category: str | None = None,
        tags: Sequence[str] = (),
        visibility: Visibility | str = Visibility.PRIVATE,
        id: UUID | None = None,  # noqa: A002
        created_at: datetime | None = None,
        owner_id: UUID | None = None,
    ) -> Template:
        """Create a template with its first version.

        Args:
            id: made by the caller, so that a call of unknown outcome can be looked up.
            owner_id: for the system, who has none of its own.

        Raises:
            ValueRejectedError: a field cannot be stored; ``field`` names it.
            ParentMissingError: the owner is not there, or deleted.
            PermissionDeniedError: nobody, or for somebody else.
            UniqueError: the id is taken.
            UsageError: the system without ``owner_id``.
        """
        new = NewTemplate(
            name=name,
            content=content,
            description=description,
            system_prompt=system_prompt,
            author_name=author_name,
            category=category,
            tags=tags,
            visibility=visibility,
            id=id,
            created_at=created_at,
        )
        creation = TemplateCreation(self._scope)
        owner = creation.owner("template.create", owner_id)
        return await creation.create("template.create", new, owner)

    @changing
    async def update_details(
        self,
        template_id: UUID,
        *,
        name: str | Keep = KEEP,
        description: str | Keep | None = KEEP,
        author_name: str | Keep | None = KEEP,
        category: str | Keep | None = KEEP,
        tags: Sequence[str] | Keep = KEEP,
        visibility: Visibility | str | Keep = KEEP,
        expected_updated_at: datetime | None = None,
    ) -> Template:
        """Change everything but the text. What is not given stays; None empties.

        The same values again are no change, and no error.

        Args:
            expected_updated_at: refuse if somebody changed the template since.

        Raises:
            NotFoundError: no such live template for this actor.
            PermissionDeniedError: visible, and not the actor's.
            StaleVersionError: changed since ``expected_updated_at``.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        check_id("template_id", template_id)
        if expected_updated_at is not None:
            expected_updated_at = check_time("expected_updated_at", expected_updated_at)
        given = checked_details(
            name=name,
            description=description,
            author_name=author_name,
            category=category,
            tags=tags,
            visibility=visibility,
        )
        now = self._scope.clock.now()
        row = await self._lock_mine("template.update_details", template_id)
        if expected_updated_at is not None and row.updated_at != expected_updated_at:
            raise StaleVersionError(
                "somebody changed the template first",
                expected=expected_updated_at,
                actual=row.updated_at,
            )
        before = await self._get(template_id)
        after, changes = await self._apply_details(row, before, given, now)
        if changes:
            await self._audit.write(
                "template.update_details", TARGET, template_id, changes=changes, at=now
            )
        return after

    async def _apply_details(
        self, row: TemplateRow, before: Template, given: dict[str, Any], now: datetime
    ) -> tuple[Template, dict[str, object]]:
        """Write what differs; the template after it, and what changed, for the audit log."""
        vocabulary = Vocabulary(self._scope)
        after: dict[str, Any] = {
            field: given.get(field, getattr(before, field)) for field in DETAILS
        }
        category_id, slug = row.category_id, before.category
        if "category" in given:
            wanted = cast(str | None, given["category"])
            slug = None if wanted is None else category_slug(wanted)
            if slug != before.category:
                found = {} if wanted is None else await vocabulary.categories([wanted], now)
                category_id = None if slug is None else found[slug].id
        new_tags: dict[str, Tag] | None = None
        tag_names = before.tags
        if "tags" in given:
            wanted_names = cast(Sequence[str], given["tags"])
            if {tag_key(tag) for tag in wanted_names} != {tag_key(tag) for tag in before.tags}:
                new_tags = await vocabulary.tags(wanted_names, now)
                tag_names = frozenset(tag.name for tag in new_tags.values())
        old_facts = {**{f: getattr(before, f) for f in after}, "category": before.category}
        changes = changes_between(
            {**old_facts, "tags": before.tags}, {**after, "category": slug, "tags": tag_names}
        )
        if not changes:
            return before, changes
        # Also where tags alone changed: updated_at tells that something did.
        updated_at = later(now, row.updated_at)
        with again_if_merged():
            await self._templates.update_details(
                template_id=row.id,
                actor_id=row.owner_id,
                category_id=category_id,
                now=updated_at,
                **after,
            )
        if new_tags is not None:
            links = TemplateTagsGateway(self._scope)
            await links.delete_by_template(template_id=row.id)
            await links.insert_many(
                {"template_id": row.id, "tag_id": tag.id, "now": now} for tag in new_tags.values()
            )
        changed: dict[str, Any] = {
            **after,
            "category": slug,
            "tags": tag_names,
            "updated_at": updated_at,
        }
        template = attrs.evolve(before, **changed)
        if changes.keys() - {"category"}:
            await self._index(template)
        return template, changes

    @changing
    async def soft_delete(self, template_id: UUID) -> None:
        """Put a template into the trash: it disappears from every view until it is restored.

        Raises:
            NotFoundError: no such live template for this actor.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        actor_id = await self._lock_actor("template.soft_delete", template_id)
        now = self._scope.clock.now()
        if not await self._templates.soft_delete(
            template_id=template_id, actor_id=actor_id, now=now
        ):
            await self._refuse("template.soft_delete", template_id)
        await self._postings.delete_by_template(template_id=template_id)
        await self._audit.write("template.soft_delete", TARGET, template_id, at=now)

    @changing
    async def restore(self, template_id: UUID) -> Template:
        """Take a template out of the trash, as it was.

        Raises:
            NotFoundError: not in the actor's trash.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        actor_id = await self._lock_actor("template.restore", template_id)
        now = self._scope.clock.now()
        if not await self._templates.restore(template_id=template_id, actor_id=actor_id, now=now):
            await self._refuse("template.restore", template_id)
        template = await self._get(template_id)
        await self._index(template)
        await self._audit.write("template.restore", TARGET, template_id, at=now)
        return template
