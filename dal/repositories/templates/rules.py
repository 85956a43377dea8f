"""What all of a template's methods share: who may, what is locked first, what is searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NoReturn
from uuid import UUID

from dal.errors import NotFoundError
from dal.gateways import TemplatePostingsGateway, TemplatesGateway, UsersGateway
from dal.records.actor import Role
from dal.records.ids import check_id
from dal.records.templates import Template, TemplateRow, Visibility
from dal.repositories.base import Repository
from dal.search import PUBLIC_SCOPE, TEMPLATES, impacts
from dal.session import Scope

__all__ = ["TARGET", "TemplateRules", "absent", "posting_rows"]

TARGET: Final = "template"
"""What the audit log calls a template."""


class TemplateRules(Repository):
    """What the parts of :class:`dal.repositories.templates.TemplateRepository` share."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._templates = TemplatesGateway(scope)
        self._postings = TemplatePostingsGateway(scope)
        self._users = UsersGateway(scope)

    async def _is_there(self, template_id: UUID) -> bool:
        """Whether it is a live template that the actor may see."""
        return await self._templates.exists(template_id=template_id, **self._reader)

    async def _get(self, template_id: UUID) -> Template:
        """A live template that the actor may see."""
        return await self._templates.get(template_id=template_id, **self._reader)

    def _me(self) -> UUID:
        return self._user("only a user has templates of their own")

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
        actor_id = self._scope.actor.id
        if await self._is_there(template_id):
            mine = actor_id is not None and await self._is_mine(template_id, actor_id)
            if not mine:
                self._deny(action, TARGET, template_id, "templates are changed by their owner")
        raise absent()

    async def _is_mine(self, template_id: UUID, actor_id: UUID) -> bool:
        return bool(
            await self._templates.list_own_ids_including_deleted(
                actor_id=actor_id, template_ids=[template_id]
            )
        )

    async def _index(self, template: Template) -> None:
        """Have the search find the template as it is now; it is locked."""
        await self._postings.delete_by_template(template_id=template.id)
        await self._postings.insert_many(posting_rows(template))


def posting_rows(template: Template) -> Iterator[dict[str, object]]:
    """The parameters of template_postings/insert_many."""
    texts = (*sorted(template.tags), template.author_name, template.description, template.content)
    is_public = template.visibility is Visibility.PUBLIC
    scope = PUBLIC_SCOPE if is_public else template.owner_id
    found = impacts(template.name, texts, pivot_terms=TEMPLATES.pivot_terms)
    # In the order of the key, in which they are stored.
    for term, impact in sorted(found.items()):
        yield {"term": term, "scope": scope, "impact": impact, "template_id": template.id}


def absent() -> NotFoundError:
    """For a template that is not there, deleted, or not to be seen by this actor."""
    return NotFoundError("no such template for this actor")
