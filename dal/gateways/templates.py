"""The table templates. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.dashboard import TemplateNumbers
from dal.records.templates import (
    Template,
    TemplateHitRow,
    TemplateParent,
    TemplateRow,
    TemplateStatistics,
    TemplateSummary,
)
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplatesGateway"]

_ADD_RATINGS = house().affected("templates/add_ratings")
_COUNT_ALL = house().value("templates/count_all", int)
_COUNT_OWN = house().value("templates/count_own", int)
_COUNT_PUBLIC = house().value("templates/count_public", int)
_COUNT_TRASH = house().value("templates/count_trash", int)
_EXISTS = house().value("templates/exists", bool)
_GET = house().one("templates/get", Template)
_GET_NUMBERS_OF_OWNER = house().one("templates/get_numbers_of_owner", TemplateNumbers)
_GET_OWN_INCLUDING_DELETED = house().one("templates/get_own_including_deleted", Template)
_GET_STATISTICS = house().one("templates/get_statistics", TemplateStatistics)
_GET_VISIBLE_STATISTICS = house().one("templates/get_visible_statistics", TemplateStatistics)
_INSERT = house().affected("templates/insert")
_INSERT_MANY = house().bulk("templates/insert_many")
_LIST_ALL = house().many("templates/list_all", TemplateSummary)
_LIST_HITS = house().many("templates/list_hits", TemplateHitRow)
_LIST_OWN = house().many("templates/list_own", TemplateSummary)
_LIST_OWN_IDS_INCLUDING_DELETED = house().many("templates/list_own_ids_including_deleted", UUID)
_LIST_OWN_WITH_TEXT = house().many("templates/list_own_with_text", Template)
_LIST_PUBLIC = house().many("templates/list_public", TemplateSummary)
_LIST_PURGEABLE = house().many("templates/list_purgeable", UUID)
_LIST_TRASH = house().many("templates/list_trash", TemplateSummary)
_LOCK_ANY_OF_OWNER = house().many("templates/lock_any_of_owner", UUID)
_LOCK_OF_OWNER = house().many("templates/lock_of_owner", UUID)
_LOCK_OWN = house().find("templates/lock_own", TemplateRow)
_LOCK_PARENTS = house().many("templates/lock_parents", TemplateParent)
_LOCK_PUBLIC_OF_OWNER = house().many("templates/lock_public_of_owner", UUID)
_LOCK_VISIBLE = house().find("templates/lock_visible", UUID)
_PURGE = house().affected("templates/purge")
_PURGE_MANY = house().affected("templates/purge_many")
_RECORD_USE = house().affected("templates/record_use")
_RESTORE = house().affected("templates/restore")
_SOFT_DELETE = house().affected("templates/soft_delete")
_SOFT_DELETE_MANY = house().affected("templates/soft_delete_many")
_SUBTRACT_RATINGS = house().affected("templates/subtract_ratings")
_UPDATE_CATEGORY = house().affected("templates/update_category")
_UPDATE_DETAILS = house().affected("templates/update_details")
_UPDATE_HEAD = house().affected("templates/update_head")
_UPDATE_HEAD_BACK = house().affected("templates/update_head_back")
_UPDATE_OWNER = house().affected("templates/update_owner")
_UPDATE_RATING = house().affected("templates/update_rating")


@attrs.frozen(slots=True)
class TemplatesGateway:
    """A method per file of ``sql/templates/``."""

    executor: Executor

    async def add_ratings(self, *, user_id: UUID) -> int:
        """Put what a user rated back into the numbers, since they are restored."""
        return await self.executor.affected(_ADD_RATINGS, user_id=user_id)

    async def count_all(self) -> int:
        """Count all live templates of live owners, for the system."""
        return await self.executor.value(_COUNT_ALL)

    async def count_own(self, *, actor_id: UUID) -> int:
        """Count the actor's live templates."""
        return await self.executor.value(_COUNT_OWN, actor_id=actor_id)

    async def count_public(self) -> int:
        """Count the public templates of live owners."""
        return await self.executor.value(_COUNT_PUBLIC)

    async def count_trash(self, *, actor_id: UUID) -> int:
        """Count the actor's deleted templates."""
        return await self.executor.value(_COUNT_TRASH, actor_id=actor_id)

    async def exists(
        self, *, template_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> bool:
        """Tell whether a live template is there that the actor may see."""
        return await self.executor.value(
            _EXISTS, template_id=template_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def get(
        self, *, template_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> Template:
        """Get a live template with the text of its newest version, if the actor may see it.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET, template_id=template_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def get_numbers_of_owner(self, *, owner_id: UUID) -> TemplateNumbers:
        """Count the live templates of a user, their uses and the ratings that they got.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_GET_NUMBERS_OF_OWNER, owner_id=owner_id)

    async def get_own_including_deleted(self, *, template_id: UUID, actor_id: UUID) -> Template:
        """Get a template of the actor with its text, from the trash too.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET_OWN_INCLUDING_DELETED, template_id=template_id, actor_id=actor_id
        )

    async def get_statistics(self) -> TemplateStatistics:
        """Count templates, versions, ratings, uses and what is in use, for the system.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_GET_STATISTICS)

    async def get_visible_statistics(self, *, actor_id: UUID | None) -> TemplateStatistics:
        """Count what the actor may see: templates, versions, ratings, uses; and their own trash.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_GET_VISIBLE_STATISTICS, actor_id=actor_id)

    async def insert(
        self,
        *,
        template_id: UUID,
        owner_id: UUID,
        category_id: UUID | None,
        name: str,
        description: str | None,
        author_name: str | None,
        visibility: str,
        version: int,
        last_version: int,
        forked_from_id: UUID | None,
        forked_from_version: int | None,
        created_at: datetime,
        now: datetime,
    ) -> int:
        """Create a template of a live owner; no row when the owner is not there."""
        return await self.executor.affected(
            _INSERT,
            template_id=template_id,
            owner_id=owner_id,
            category_id=category_id,
            name=name,
            description=description,
            author_name=author_name,
            visibility=visibility,
            version=version,
            last_version=last_version,
            forked_from_id=forked_from_id,
            forked_from_version=forked_from_version,
            created_at=created_at,
            now=now,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create templates of an owner who is locked and live."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_all(
        self, *, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[TemplateSummary]:
        """Page through all live templates of live owners, newest first, for the system."""
        return await self.executor.many(
            _LIST_ALL, before_at=before_at, before_id=before_id, limit_rows=limit_rows
        )

    async def list_hits(
        self,
        *,
        template_ids: Sequence[UUID],
        actor_id: UUID | None,
        actor_is_system: bool,
        head_chars: int,
    ) -> list[TemplateHitRow]:
        """Read the hits of a search, and the start of their text, that the actor may see."""
        return await self.executor.many(
            _LIST_HITS,
            template_ids=template_ids,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            head_chars=head_chars,
        )

    async def list_own(
        self, *, actor_id: UUID, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[TemplateSummary]:
        """Page through the actor's live templates, newest first."""
        return await self.executor.many(
            _LIST_OWN,
            actor_id=actor_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_own_ids_including_deleted(
        self, *, actor_id: UUID, template_ids: Sequence[UUID]
    ) -> list[UUID]:
        """List which of these ids are the actor's templates, the trash too."""
        return await self.executor.many(
            _LIST_OWN_IDS_INCLUDING_DELETED, actor_id=actor_id, template_ids=template_ids
        )

    async def list_own_with_text(
        self, *, actor_id: UUID, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[Template]:
        """Page through the actor's live templates with their text, newest first."""
        return await self.executor.many(
            _LIST_OWN_WITH_TEXT,
            actor_id=actor_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_public(
        self, *, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[TemplateSummary]:
        """Page through the public templates of live owners, newest first."""
        return await self.executor.many(
            _LIST_PUBLIC, before_at=before_at, before_id=before_id, limit_rows=limit_rows
        )

    async def list_purgeable(self, *, deleted_before: datetime, limit_rows: int) -> list[UUID]:
        """List templates that have long been in a trash, oldest first, for retention."""
        return await self.executor.many(
            _LIST_PURGEABLE, deleted_before=deleted_before, limit_rows=limit_rows
        )

    async def list_trash(
        self,
        *,
        actor_id: UUID,
        before_deleted_at: datetime,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[TemplateSummary]:
        """Page through the actor's deleted templates, deleted last first."""
        return await self.executor.many(
            _LIST_TRASH,
            actor_id=actor_id,
            before_deleted_at=before_deleted_at,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def lock_any_of_owner(self, *, owner_id: UUID, limit_rows: int) -> list[UUID]:
        """Lock templates of a user, the trash too, to remove them, the oldest first."""
        return await self.executor.many(
            _LOCK_ANY_OF_OWNER, owner_id=owner_id, limit_rows=limit_rows
        )

    async def lock_of_owner(self, *, owner_id: UUID, limit_rows: int) -> list[UUID]:
        """Lock live templates of a user, to give them to somebody else, the oldest first."""
        return await self.executor.many(_LOCK_OF_OWNER, owner_id=owner_id, limit_rows=limit_rows)

    async def lock_own(self, *, template_id: UUID, actor_id: UUID) -> TemplateRow | None:
        """Lock a live template of the actor before it is changed."""
        return await self.executor.find(_LOCK_OWN, template_id=template_id, actor_id=actor_id)

    async def lock_parents(self, *, owner_id: UUID, slugs: Sequence[str]) -> list[TemplateParent]:
        """Lock the owner of new templates against deletion, and read the known categories."""
        return await self.executor.many(_LOCK_PARENTS, owner_id=owner_id, slugs=slugs)

    async def lock_public_of_owner(self, *, owner_id: UUID, limit_rows: int) -> list[UUID]:
        """Lock live public templates of a user, to keep them for others, the oldest first."""
        return await self.executor.many(
            _LOCK_PUBLIC_OF_OWNER, owner_id=owner_id, limit_rows=limit_rows
        )

    async def lock_visible(self, *, template_id: UUID, actor_id: UUID) -> UUID | None:
        """Lock a live template that the actor may see, before its counters change."""
        return await self.executor.find(_LOCK_VISIBLE, template_id=template_id, actor_id=actor_id)

    async def purge(self, *, template_id: UUID, actor_id: UUID) -> int:
        """Remove a template in the actor's trash for good, with its versions and tags."""
        return await self.executor.affected(_PURGE, template_id=template_id, actor_id=actor_id)

    async def purge_many(self, *, template_ids: Sequence[UUID]) -> int:
        """Remove templates in a trash for good, versions and tags too, for retention."""
        return await self.executor.affected(_PURGE_MANY, template_ids=template_ids)

    async def record_use(
        self, *, template_id: UUID, actor_id: UUID | None, actor_is_system: bool, now: datetime
    ) -> int:
        """Count a use of a live template that the actor may see."""
        return await self.executor.affected(
            _RECORD_USE,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            now=now,
        )

    async def restore(self, *, template_id: UUID, actor_id: UUID, now: datetime) -> int:
        """Take a template out of the actor's trash, as it was."""
        return await self.executor.affected(
            _RESTORE, template_id=template_id, actor_id=actor_id, now=now
        )

    async def soft_delete(self, *, template_id: UUID, actor_id: UUID, now: datetime) -> int:
        """Put a live template of the actor into the trash."""
        return await self.executor.affected(
            _SOFT_DELETE, template_id=template_id, actor_id=actor_id, now=now
        )

    async def soft_delete_many(self, *, template_ids: Sequence[UUID], now: datetime) -> int:
        """Put templates that are locked into the trash, before they are removed."""
        return await self.executor.affected(_SOFT_DELETE_MANY, template_ids=template_ids, now=now)

    async def subtract_ratings(self, *, user_id: UUID) -> int:
        """Take what a user rated out of the numbers, since they are deleted."""
        return await self.executor.affected(_SUBTRACT_RATINGS, user_id=user_id)

    async def update_category(self, *, category_id: UUID, into_category_id: UUID) -> int:
        """File the templates of one category under another, deleted ones too."""
        return await self.executor.affected(
            _UPDATE_CATEGORY, category_id=category_id, into_category_id=into_category_id
        )

    async def update_details(
        self,
        *,
        template_id: UUID,
        actor_id: UUID,
        category_id: UUID | None,
        name: str,
        description: str | None,
        author_name: str | None,
        visibility: str,
        now: datetime,
    ) -> int:
        """Change name, texts, category and visibility of a live template of the actor."""
        return await self.executor.affected(
            _UPDATE_DETAILS,
            template_id=template_id,
            actor_id=actor_id,
            category_id=category_id,
            name=name,
            description=description,
            author_name=author_name,
            visibility=visibility,
            now=now,
        )

    async def update_head(
        self, *, template_id: UUID, actor_id: UUID, version: int, now: datetime
    ) -> int:
        """Make the next version the newest of a live template of the actor."""
        return await self.executor.affected(
            _UPDATE_HEAD, template_id=template_id, actor_id=actor_id, version=version, now=now
        )

    async def update_head_back(
        self, *, template_id: UUID, actor_id: UUID, version: int, now: datetime
    ) -> int:
        """Make an older version the newest of a live template of the actor again."""
        return await self.executor.affected(
            _UPDATE_HEAD_BACK, template_id=template_id, actor_id=actor_id, version=version, now=now
        )

    async def update_owner(
        self, *, template_ids: Sequence[UUID], owner_id: UUID, now: datetime
    ) -> int:
        """Give templates that are locked to another owner; who made their versions stays a fact."""
        return await self.executor.affected(
            _UPDATE_OWNER, template_ids=template_ids, owner_id=owner_id, now=now
        )

    async def update_rating(
        self, *, template_id: UUID, rating_change: int, count_change: int
    ) -> int:
        """Add to the ratings of a locked template."""
        return await self.executor.affected(
            _UPDATE_RATING,
            template_id=template_id,
            rating_change=rating_change,
            count_change=count_change,
        )
