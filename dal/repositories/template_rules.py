"""What all of a template's methods share: who may, what is locked first, what is searched."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NoReturn, cast
from uuid import UUID

from dal.errors import NotFoundError, PermissionDeniedError
from dal.gateways import (
    TemplateLabelMovesGateway,
    TemplateLabelsGateway,
    TemplateRatingsGateway,
    TemplatesGateway,
    TemplatesSearchGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.actor import Role
from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID, check_id
from dal.records.page import Key, decode_cursor
from dal.records.templates import Template, TemplateRow, Visibility
from dal.repositories.base import Repository
from dal.search import document
from dal.session import Scope

__all__ = ["TARGET", "TemplateRules", "absent", "search_row", "start"]

TARGET: Final = "template"
"""What the audit log calls a template."""

_FIRST: Final[Key] = (END_OF_TIME, MAX_ID)


class TemplateRules(Repository):
    """The rules; see :class:`dal.repositories.templates.TemplateRepository`."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._templates = TemplatesGateway(scope)
        self._versions = TemplateVersionsGateway(scope)
        self._labels = TemplateLabelsGateway(scope)
        self._label_moves = TemplateLabelMovesGateway(scope)
        self._ratings = TemplateRatingsGateway(scope)
        self._links = TemplateTagsGateway(scope)
        self._texts = TemplatesSearchGateway(scope)
        self._users = UsersGateway(scope)

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
            self._deny(action, TARGET, template_id, "a viewer reads, and changes no templates")

    async def _lock_actor(self, action: str, template_id: UUID) -> UUID:
        """Lock the acting user against deletion, before anything of theirs is locked."""
        check_id("template_id", template_id)
        actor_id = self._scope.actor.id
        if actor_id is None:
            await self._refuse(action, template_id)
        self._refuse_viewer(action, template_id)
        if await self._users.lock_live(user_id=actor_id) is None:
            raise absent()
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
                self._deny(action, TARGET, template_id, "templates are changed by their owner")
            raise absent()
        if await self._templates.exists_visible(template_id=template_id, actor_id=actor.id):
            mine = actor.id is not None and await self._is_mine(template_id, actor.id)
            if not mine:
                self._deny(action, TARGET, template_id, "templates are changed by their owner")
        raise absent()

    async def _is_mine(self, template_id: UUID, actor_id: UUID) -> bool:
        return bool(
            await self._templates.list_own_ids_including_deleted(
                actor_id=actor_id, template_ids=[template_id]
            )
        )

    async def _index(self, template: Template, now: datetime) -> None:
        """Have the search find the template as it is now; it is locked."""
        await self._texts.upsert(**search_row(template, now))


def search_row(template: Template, now: datetime) -> dict[str, Any]:
    """The parameters of templates_search/upsert and insert_many."""
    is_public = template.visibility is Visibility.PUBLIC
    found = document(
        name=template.name,
        description=template.description,
        author_name=template.author_name,
        tags=sorted(template.tags),
        content=template.content,
        owner_id=template.owner_id,
        is_public=is_public,
    )
    return {
        "template_id": template.id,
        "is_public": is_public,
        "terms": found.n_terms,
        "tokens": found.tokens,
        "now": now,
    }


def absent() -> NotFoundError:
    """For a template that is not there, deleted, or not to be seen by this actor."""
    return NotFoundError("no such template for this actor")


def start(of_list: str, after: str | None) -> tuple[datetime, UUID]:
    """Where a page by time and id starts. Raises ValueRejectedError for a wrong cursor."""
    return cast(tuple[datetime, UUID], decode_cursor(of_list, after, _FIRST))
