"""Templates with versions, labels, ratings, categories and tags, and a search that finds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import attrs

from dal.errors import (
    ParentMissingError,
    StaleVersionError,
    TransientError,
    UsageError,
    ValueRejectedError,
)
from dal.records.clock import START_OF_TIME, check_time, later
from dal.records.ids import check_id
from dal.records.keep import KEEP, Keep
from dal.records.new_templates import NewTemplate
from dal.records.templates import Template, TemplateRow, TemplateVersion, Visibility
from dal.records.text import category_slug, tag_key
from dal.records.vocabulary import Category, Tag
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing
from dal.repositories.template_rows import (
    checked_details,
    facts,
    label_rows,
    links,
    made,
    move_rows,
    no_owner,
    template_row,
    version_rows,
)
from dal.repositories.template_rules import TARGET, search_row
from dal.repositories.template_search import TemplateSearches
from dal.repositories.template_versions import check_version
from dal.repositories.vocabulary import Vocabulary

__all__ = ["TemplateRepository"]

_SLUGS_AT_ONCE: Final = 10_000


class TemplateRepository(TemplateSearches):
    """Templates: private to their owner, or public. Deleted ones are in the owner's trash.

    A template is seen while it and its owner are live.
    """

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
        return await self._create("template.create", new, self._owner("template.create", owner_id))

    async def _create(
        self,
        action: str,
        new: NewTemplate,
        owner: UUID,
        forked_from: TemplateVersion | None = None,
    ) -> Template:
        now = self._scope.clock.now()
        # The owner first, then the vocabulary: the order in which all who create take their locks.
        # Without a category the guarded insert is the first to touch anything, and locks the owner.
        found = await self._lock_parents(owner, [new], now) if new.category is not None else {}
        row = template_row(new, owner, found, now, forked_from)
        with _again_if_merged():
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
        await self._versions.insert_many(
            row for new, template in pairs for row in version_rows(new, template)
        )
        await self._links.insert_many(
            link for new, template in pairs for link in links(new, template.id, words, now)
        )
        labels = [row for new, template in pairs for row in label_rows(new, template, now)]
        if labels:
            await self._labels.insert_many(labels)
            await self._label_moves.insert_many(move_rows(labels, now))
        await self._texts.insert_many(search_row(template, now) for _, template in pairs)

    @changing
    async def create_many(
        self, templates: Iterable[NewTemplate], *, owner_id: UUID | None = None
    ) -> list[Template]:
        """Create many templates with their first versions: all of them, or none.

        One INSERT per 1 MiB and table, and two reads (one more for each further 10,000 tags),
        however many there are.

        Args:
            owner_id: for the system, who has none of its own.

        Raises:
            ParentMissingError: the owner is not there, or deleted.
            PermissionDeniedError: nobody, or for somebody else.
            UniqueError: one of the ids is taken, or is given twice.
            ValueRejectedError: a template is more than the server takes in one packet, or is no
                NewTemplate.
        """
        news = _new_templates(templates)
        owner = self._owner("template.create_many", owner_id)
        if not news:
            return []
        now = self._scope.clock.now()
        found = await self._lock_parents(owner, news, now)
        words = await Vocabulary(self._scope).tags((tag for new in news for tag in new.tags), now)
        rows = [template_row(new, owner, found, now) for new in news]
        with _again_if_merged():
            await self._templates.insert_many(rows)
        created = [made(new, row, found, words) for new, row in zip(news, rows, strict=True)]
        await self._insert_parts(list(zip(news, created, strict=True)), words, now)
        await self._audit.write(
            "template.create_many",
            TARGET,
            None,
            changes={"owner_id": {"from": None, "to": owner}},
            affected=len(news),
            at=now,
        )
        return created

    @changing
    async def fork(
        self,
        template_id: UUID,
        *,
        version: int | None = None,
        name: str | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Template:
        """Make a private template of the actor of a version of one that they may see.

        It has the texts, category and tags, and says where it comes from; its history starts anew.

        Args:
            version: the newest unless given.
            name: that of the other one unless given.
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            NotFoundError: no such template for this actor, or no such version.
            PermissionDeniedError: the actor is no user, or a viewer.
            UniqueError: the id is taken.
            UsageError: the system, which owns no templates.
            ValueRejectedError: an argument cannot be; ``field`` names it.
        """
        check_id("template_id", template_id)
        if version is not None:
            check_version("version", version)
        if self._scope.actor.is_system:
            raise UsageError("the system owns no templates, so it forks none")
        owner = self._owner("template.fork", None)
        source = await self.get(template_id)
        old = await self.get_version(
            template_id, source.head_version if version is None else version
        )
        new = NewTemplate(
            name=source.name if name is None else name,
            content=old.content,
            description=source.description,
            system_prompt=old.system_prompt,
            author_name=source.author_name,
            category=source.category,
            tags=sorted(source.tags),
            id=id,
        )
        return await self._create("template.fork", new, owner, old)

    def _owner(self, action: str, owner_id: UUID | None) -> UUID:
        actor = self._scope.actor
        if owner_id is not None:
            check_id("owner_id", owner_id)
        if actor.is_system:
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
        before = await self.get_including_deleted(template_id)
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
        after = {
            field: given.get(field, getattr(before, field))
            for field in ("name", "description", "author_name", "visibility")
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
        with _again_if_merged():
            await self._templates.update_details(
                template_id=row.id,
                actor_id=row.owner_id,
                category_id=category_id,
                now=updated_at,
                name=cast(str, after["name"]),
                description=after["description"],
                author_name=after["author_name"],
                visibility=cast(Visibility, after["visibility"]),
            )
        if new_tags is not None:
            await self._links.delete_by_template(template_id=row.id)
            await self._links.insert_many(
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
            await self._index(template, now)
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
        await self._texts.delete_one(template_id=template_id)
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
        template = await self.get(template_id)
        await self._index(template, now)
        await self._audit.write("template.restore", TARGET, template_id, at=now)
        return template

    @changing
    async def purge(self, template_id: UUID) -> None:
        """Remove a template in the trash for good, with its versions and tags.

        Raises:
            NotFoundError: not in the actor's trash.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        actor_id = await self._lock_actor("template.purge", template_id)
        await self._labels.delete_in_trash(template_ids=[template_id])
        if not await self._templates.purge(template_id=template_id, actor_id=actor_id):
            await self._refuse("template.purge", template_id)
        await self._audit.write("template.purge", TARGET, template_id)

    @changing
    async def purge_deleted(self, *, older_than: timedelta, batch: int = 1000) -> int:
        """Remove the oldest templates of all trashes for good, for the system; how many.

        One batch a call: call again until it is less than ``batch``.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``older_than`` is no time or negative, or ``batch`` not 1 to 10,000.
        """
        if not self._scope.actor.is_system:
            self._deny(
                "template.purge_deleted", TARGET, None, "trashes are emptied by the system alone"
            )
        if not isinstance(older_than, timedelta) or older_than < timedelta(0):
            raise ValueRejectedError("older_than: a timedelta, 0 or more", field="older_than")
        if type(batch) is not int or not 1 <= batch <= 10_000:
            raise ValueRejectedError("batch: 1 to 10000", field="batch")
        now = self._scope.clock.now()
        # Longer ago than any server stores is as long ago as it stores: nothing is that old.
        age = min(older_than, now - START_OF_TIME)
        ids = await self._templates.list_purgeable(deleted_before=now - age, limit_rows=batch)
        if not ids:
            return 0
        await self._labels.delete_in_trash(template_ids=ids)
        purged = await self._templates.purge_many(template_ids=ids)
        await self._audit.write("template.purge_deleted", TARGET, None, affected=purged, at=now)
        return purged


@contextmanager
def _again_if_merged() -> Iterator[None]:
    """Have the whole run again where a category is gone that was read: it was merged meanwhile."""
    try:
        yield
    except ParentMissingError as error:
        if error.constraint != "fk_templates_category":
            raise
        raise TransientError(
            "a category was merged into another meanwhile", statement=error.statement
        ) from None


def _new_templates(templates: object) -> list[NewTemplate]:
    if not isinstance(templates, Iterable):
        raise ValueRejectedError("templates: a list of NewTemplate", field="templates")
    news = list(templates)
    if not all(isinstance(new, NewTemplate) for new in news):
        raise ValueRejectedError("templates: a list of NewTemplate", field="templates")
    return news
