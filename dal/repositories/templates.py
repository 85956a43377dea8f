"""Templates with versions, categories and tags."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, cast
from uuid import UUID

import attrs

from dal.errors import (
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
    UsageError,
    ValueRejectedError,
)
from dal.gateways import (
    CategoriesGateway,
    TagsGateway,
    TemplatesGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.actor import Role
from dal.records.clock import END_OF_TIME, START_OF_TIME, check_time, later
from dal.records.ids import MAX_ID, check_id
from dal.records.keep import KEEP, Keep
from dal.records.new_templates import NewTemplate, checked_texts
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.templates import (
    Template,
    TemplateRow,
    TemplateStatistics,
    TemplateSummary,
    TemplateVersion,
    TemplateVersionSummary,
    Visibility,
    content_sha256,
)
from dal.records.text import category_slug, tag_key
from dal.records.vocabulary import Category, CategoryCount, Tag
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import Repository, changing
from dal.repositories.template_rows import (
    checked_details,
    facts,
    first_version,
    links,
    made,
    no_owner,
    template_row,
)
from dal.repositories.vocabulary import Vocabulary
from dal.search import SearchScope, TemplateSearch, template_search
from dal.search.templates import Arm, Sort
from dal.session import Scope

__all__ = ["TemplateRepository"]


_TARGET: Final = "template"
_FIRST: Final[Key] = (END_OF_TIME, MAX_ID)
_FIRST_DELETED: Final[Key] = (END_OF_TIME, END_OF_TIME, MAX_ID)
_MAX_VERSION: Final = 2**32 - 1
_EXPORT_ROWS: Final = 100
_IDS_AT_ONCE: Final = 5_000
_SLUGS_AT_ONCE: Final = 10_000


def _key(row: TemplateSummary) -> Key:
    return (row.created_at, row.id)


class TemplateRepository(Repository):
    """Templates: private to their owner, or public. Deleted ones are in the owner's trash.

    A template is seen while it and its owner are live.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._templates = TemplatesGateway(scope)
        self._versions = TemplateVersionsGateway(scope)
        self._links = TemplateTagsGateway(scope)
        self._users = UsersGateway(scope)

    # ------------------------------------------------------------------ create

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
        owner = self._owner("template.create", owner_id)
        now = self._scope.clock.now()
        # The owner first, then the vocabulary: the order in which all who create take their locks.
        # Without a category the guarded insert is the first to touch anything, and locks the owner.
        found = await self._lock_parents(owner, [new], now) if new.category is not None else {}
        row = template_row(new, owner, found, now)
        if not await self._templates.insert(**row):
            raise no_owner()
        words = await Vocabulary(self._scope).tags(new.tags, now)
        await self._versions.insert_many([first_version(new, row, owner)])
        await self._links.insert_many(links(new, row["template_id"], words, now))
        template = made(new, row, found, words)
        await self._audit.write(
            "template.create",
            _TARGET,
            template.id,
            changes=changes_between(None, facts(template)),
            at=now,
        )
        return template

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
        await self._templates.insert_many(rows)
        pairs = list(zip(news, rows, strict=True))
        await self._versions.insert_many(first_version(new, row, owner) for new, row in pairs)
        await self._links.insert_many(
            link for new, row in pairs for link in links(new, row["template_id"], words, now)
        )
        await self._audit.write(
            "template.create_many",
            _TARGET,
            None,
            changes={"owner_id": {"from": None, "to": owner}},
            affected=len(news),
            at=now,
        )
        return [made(new, row, found, words) for new, row in pairs]

    def _owner(self, action: str, owner_id: UUID | None) -> UUID:
        actor = self._scope.actor
        if owner_id is not None:
            check_id("owner_id", owner_id)
        if actor.is_system:
            if owner_id is None:
                raise UsageError("the system owns no templates: pass owner_id")
            return owner_id
        if actor.id is None:
            self._deny(action, _TARGET, None, "templates are created by users")
        self._refuse_viewer(action, None)
        if owner_id is not None and owner_id != actor.id:
            self._deny(action, _TARGET, None, "a user creates their own templates alone")
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

    # -------------------------------------------------------------------- read

    async def get(self, template_id: UUID) -> Template:
        """A live template with its text: one's own or a public one; any for the system.

        Raises:
            NotFoundError: not there, deleted, its owner deleted, or not visible to this actor.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        if self._scope.actor.is_system:
            return await self._templates.get_any(template_id=template_id)
        return await self._templates.get_visible(
            template_id=template_id, actor_id=self._scope.actor.id
        )

    async def find(self, template_id: UUID) -> Template | None:
        """As :meth:`get`, or None.

        Raises:
            ValueRejectedError: ``template_id`` is no UUID.
        """
        try:
            return await self.get(template_id)
        except NotFoundError:
            return None

    async def get_including_deleted(self, template_id: UUID) -> Template:
        """A template of the actor, from the trash too.

        Raises:
            NotFoundError: not there, or not the actor's.
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        return await self._templates.get_own_including_deleted(
            template_id=check_id("template_id", template_id), actor_id=self._user()
        )

    async def exists(self, template_id: UUID) -> bool:
        """Whether :meth:`get` would give it.

        Raises:
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        if self._scope.actor.is_system:
            return await self._templates.exists_any(template_id=template_id)
        return await self._templates.exists_visible(
            template_id=template_id, actor_id=self._scope.actor.id
        )

    async def list_mine(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The actor's live templates, newest first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._user()
        at, last = _start("templates.list_mine", after)
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
        at, last = _start("templates.list_public", after)
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
        at, last = _start("templates.list_all", after)
        rows = await self._templates.list_all(
            before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_all", rows, limit, _key)

    async def list_trash(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The actor's deleted templates, deleted last first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._user()
        deleted_at, at, last = cast(
            tuple[datetime, datetime, UUID],
            decode_cursor("templates.list_trash", after, _FIRST_DELETED),
        )
        rows = await self._templates.list_trash(
            actor_id=actor_id,
            before_deleted_at=deleted_at,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(
            "templates.list_trash",
            rows,
            limit,
            lambda row: (row.deleted_at or END_OF_TIME, row.created_at, row.id),
        )

    async def stream_mine(self) -> AsyncIterator[Template]:
        """The actor's live templates with their text, newest first, a hundred at a time.

        No statement stays open between the pages: what is created meanwhile is not seen, what is
        deleted before its page is left out.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        actor_id = self._user()
        at, last = END_OF_TIME, MAX_ID
        while True:
            rows = await self._templates.list_own_with_text(
                actor_id=actor_id, before_at=at, before_id=last, limit_rows=_EXPORT_ROWS
            )
            for row in rows:
                yield row
            if len(rows) < _EXPORT_ROWS:
                return
            at, last = rows[-1].created_at, rows[-1].id

    async def count_mine(self) -> int:
        """How many live templates the actor has.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._templates.count_own(actor_id=self._user())

    async def count_trash(self) -> int:
        """How many templates are in the actor's trash.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._templates.count_trash(actor_id=self._user())

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

    async def list_taken_ids(self, template_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these ids are templates of the actor already, the trash too; for imports.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: one of ``template_ids`` is no UUID.
        """
        actor_id = self._user()
        if not isinstance(template_ids, Iterable):
            raise ValueRejectedError("template_ids: a list of UUIDs", field="template_ids")
        ids = [check_id("template_ids", template_id) for template_id in template_ids]
        taken: set[UUID] = set()
        for start in range(0, len(ids), _IDS_AT_ONCE):
            taken.update(
                await self._templates.list_own_ids_including_deleted(
                    actor_id=actor_id, template_ids=ids[start : start + _IDS_AT_ONCE]
                )
            )
        return taken

    async def search(
        self,
        text: str | None = None,
        *,
        category: str | None = None,
        tags: Sequence[str] = (),
        scope: SearchScope | str = SearchScope.VISIBLE,
        sort: Sort | str = Sort.NEWEST,
        limit: int = 20,
        after: str | None = None,
    ) -> Page[TemplateSummary]:
        """Live templates that the actor may see and that hold every word of ``text``.

        Words are looked for in name, description and credited author, without regard to case and
        accents, ``%`` and ``_`` as themselves. Every tag must be there.

        Args:
            scope: ``visible`` (one's own and public ones; for the system, which owns none, the
                public ones), ``mine``, or ``public``.
            sort: ``newest`` or ``oldest``.

        Raises:
            ValueRejectedError: too many words or tags, ``limit``, ``after``, or no such choice.
            PermissionDeniedError: ``mine``, and the actor is no user.
        """
        search = TemplateSearch(text=text, category=category, tags=tags, scope=scope, sort=sort)
        name = search.list_name
        start = decode_cursor(name, after, search.sort.first_key)
        check_limit(limit)
        arms = self._arms(search.scope)
        tag_ids = await self._tag_ids(search)
        if tag_ids is None:
            return Page((), None)
        rows: list[TemplateSummary] = []
        for arm in arms:
            rows += await self._scope.search(
                template_search(
                    search,
                    arm,
                    actor_id=self._scope.actor.id,
                    tag_ids=tag_ids,
                    after=start,
                    limit_rows=limit + 1,
                )
            )
        rows.sort(key=_key, reverse=search.sort is Sort.NEWEST)
        return page_of(name, rows, limit, _key)

    async def _tag_ids(self, search: TemplateSearch) -> list[UUID] | None:
        """The ids of the tags asked for; None where one of them is not there at all."""
        if not search.tag_keys:
            return []
        tags = await TagsGateway(self._scope).list_by_keys(tag_keys=search.tag_keys)
        return [tag.id for tag in tags] if len(tags) == len(search.tag_keys) else None

    def _arms(self, scope: SearchScope) -> tuple[Arm, ...]:
        if scope is SearchScope.MINE:
            self._user()
            return (Arm.OWN,)
        if scope is SearchScope.PUBLIC or not self._scope.actor.is_user:
            return (Arm.PUBLIC,)
        return (Arm.OWN, Arm.PUBLIC_OF_OTHERS)

    async def list_versions(
        self, template_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateVersionSummary]:
        """The versions of a template that the actor may see, newest first, without their text.

        Raises:
            NotFoundError: no such template for this actor.
            ValueRejectedError: ``template_id``, ``limit`` or ``after``.
        """
        name = f"templates.list_versions:{check_id('template_id', template_id)}"
        (before,) = cast(tuple[int], decode_cursor(name, after, (_MAX_VERSION,)))
        if before > _MAX_VERSION:
            raise ValueRejectedError("after: not a cursor of this list", field="after")
        limit_rows = check_limit(limit) + 1
        if self._scope.actor.is_system:
            rows = await self._versions.list_any(
                template_id=template_id, before_version=before, limit_rows=limit_rows
            )
        else:
            rows = await self._versions.list_visible(
                template_id=template_id,
                actor_id=self._scope.actor.id,
                before_version=before,
                limit_rows=limit_rows,
            )
        if not rows and not await self.exists(template_id):
            raise NotFoundError("no such template for this actor")
        return page_of(name, rows, limit, lambda row: (row.version,))

    async def get_version(self, template_id: UUID, version: int) -> TemplateVersion:
        """One version of a template that the actor may see, with its text.

        Raises:
            NotFoundError: no such version of such a template for this actor.
            ValueRejectedError: ``template_id``, or ``version`` is no number of a version.
        """
        check_id("template_id", template_id)
        if self._scope.actor.is_system:
            return await self._versions.get_any(template_id=template_id, version=version)
        return await self._versions.get_visible(
            template_id=template_id, version=version, actor_id=self._scope.actor.id
        )

    async def statistics(self) -> TemplateStatistics:
        """Numbers of all templates, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        self._only_system()
        return await self._templates.get_statistics()

    async def list_category_counts(self, *, limit: int = 500) -> list[CategoryCount]:
        """Categories by number of live templates, for the system; one row for none.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``limit``.
        """
        self._only_system()
        return await CategoriesGateway(self._scope).list_counts(limit_rows=check_limit(limit))

    # ------------------------------------------------------------------ change

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
                "template.update_details", _TARGET, template_id, changes=changes, at=now
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
        return attrs.evolve(before, **changed), changes

    @changing
    async def commit(
        self,
        template_id: UUID,
        *,
        content: str,
        system_prompt: str | Keep | None = KEEP,
        message: str | None = None,
        expected_head: int | None = None,
    ) -> TemplateVersion:
        """Make a new version the newest; the same text again is no change.

        Args:
            message: why, up to 500 characters.
            expected_head: refuse if the newest version is another one.

        Returns:
            The new version, or the newest one where the text is the same.

        Raises:
            NotFoundError: no such live template for this actor.
            PermissionDeniedError: visible, and not the actor's.
            StaleVersionError: the newest version is not ``expected_head``.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        check_id("template_id", template_id)
        if expected_head is not None and type(expected_head) is not int:
            raise ValueRejectedError("expected_head: a number is required", field="expected_head")
        checked_texts(content=content, message=message)
        if not isinstance(system_prompt, Keep):
            checked_texts(system_prompt=system_prompt)
        now = self._scope.clock.now()
        row = await self._lock_mine("template.commit", template_id)
        if expected_head is not None and row.head_version != expected_head:
            raise StaleVersionError(
                "somebody made a version first", expected=expected_head, actual=row.head_version
            )
        head = await self.get_version(template_id, row.head_version)
        prompt = head.system_prompt if isinstance(system_prompt, Keep) else system_prompt
        if content_sha256(content, prompt) == head.content_sha256:
            return head
        version = TemplateVersion(
            template_id=template_id,
            version=row.head_version + 1,
            content=content,
            system_prompt=prompt,
            content_sha256=content_sha256(content, prompt),
            message=message,
            created_by=row.owner_id,
            created_at=now,
        )
        await self._templates.update_head(
            template_id=template_id,
            actor_id=row.owner_id,
            version=version.version,
            now=later(now, row.updated_at),
        )
        await self._versions.insert_many([attrs.asdict(version)])
        changes = changes_between(
            {
                "content": head.content,
                "system_prompt": head.system_prompt,
                "head_version": head.version,
            },
            {"content": content, "system_prompt": prompt, "head_version": version.version},
        )
        await self._audit.write("template.commit", _TARGET, template_id, changes=changes, at=now)
        return version

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
        await self._audit.write("template.soft_delete", _TARGET, template_id, at=now)

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
        await self._audit.write("template.restore", _TARGET, template_id, at=now)
        return await self.get(template_id)

    @changing
    async def purge(self, template_id: UUID) -> None:
        """Remove a template in the trash for good, with its versions and tags.

        Raises:
            NotFoundError: not in the actor's trash.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        actor_id = await self._lock_actor("template.purge", template_id)
        if not await self._templates.purge(template_id=template_id, actor_id=actor_id):
            await self._refuse("template.purge", template_id)
        await self._audit.write("template.purge", _TARGET, template_id)

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
                "template.purge_deleted", _TARGET, None, "trashes are emptied by the system alone"
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
        purged = await self._templates.purge_many(template_ids=ids)
        await self._audit.write("template.purge_deleted", _TARGET, None, affected=purged, at=now)
        return purged

    # ------------------------------------------------------------------- rules

    def _user(self) -> UUID:
        actor = self._scope.actor
        if actor.id is None:
            raise PermissionDeniedError("only a user has templates of their own")
        return actor.id

    def _only_system(self) -> None:
        if not self._scope.actor.is_system:
            raise PermissionDeniedError("for the system alone")

    def _refuse_viewer(self, action: str, template_id: UUID | None) -> None:
        if self._scope.actor.role is Role.VIEWER:
            self._deny(action, _TARGET, template_id, "a viewer reads, and changes no templates")

    async def _lock_actor(self, action: str, template_id: UUID) -> UUID:
        """Lock the acting user against deletion, before anything of theirs is locked."""
        check_id("template_id", template_id)
        actor_id = self._scope.actor.id
        if actor_id is None:
            await self._refuse(action, template_id)
        self._refuse_viewer(action, template_id)
        if await self._users.lock_live(user_id=actor_id) is None:
            raise NotFoundError("no such template for this actor")
        return actor_id

    async def _lock_mine(self, action: str, template_id: UUID) -> TemplateRow:
        actor_id = await self._lock_actor(action, template_id)
        row = await self._templates.lock_own(template_id=template_id, actor_id=actor_id)
        if row is None:
            await self._refuse(action, template_id)
        return row

    async def _refuse(self, action: str, template_id: UUID) -> NoReturn:
        """Denied where the actor sees a live template of somebody else, else not found."""
        actor = self._scope.actor
        if actor.is_system:
            if await self._templates.exists_any(template_id=template_id):
                self._deny(action, _TARGET, template_id, "templates are changed by their owner")
            raise NotFoundError("no such template for this actor")
        if await self._templates.exists_visible(template_id=template_id, actor_id=actor.id):
            mine = actor.id is not None and await self._is_mine(template_id, actor.id)
            if not mine:
                self._deny(action, _TARGET, template_id, "templates are changed by their owner")
        raise NotFoundError("no such template for this actor")

    async def _is_mine(self, template_id: UUID, actor_id: UUID) -> bool:
        return bool(
            await self._templates.list_own_ids_including_deleted(
                actor_id=actor_id, template_ids=[template_id]
            )
        )


def _new_templates(templates: object) -> list[NewTemplate]:
    if not isinstance(templates, Iterable):
        raise ValueRejectedError("templates: a list of NewTemplate", field="templates")
    news = list(templates)
    if not all(isinstance(new, NewTemplate) for new in news):
        raise ValueRejectedError("templates: a list of NewTemplate", field="templates")
    return news


def _start(of_list: str, after: str | None) -> tuple[datetime, UUID]:
    return cast(tuple[datetime, UUID], decode_cursor(of_list, after, _FIRST))
