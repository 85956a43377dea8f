"""Versions of a template: made, read, compared, gone back to, forked, deleted."""

from __future__ import annotations

import asyncio
from difflib import unified_diff
from typing import Final, cast
from uuid import UUID

import attrs

from dal.errors import (
    ConstraintError,
    NotFoundError,
    StaleVersionError,
    UsageError,
    ValueRejectedError,
)
from dal.gateways import TemplateVersionsGateway
from dal.records.clock import later
from dal.records.ids import check_id
from dal.records.keep import KEEP, Keep
from dal.records.new_templates import TEXTS, NewTemplate, checked_texts
from dal.records.page import Page, check_limit, decode_cursor, page_of
from dal.records.templates import (
    Template,
    TemplateRow,
    TemplateVersion,
    TemplateVersionSummary,
    VersionDiff,
    content_sha256,
)
from dal.records.variables import find_variables
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.repositories.templates.creation import TemplateCreation
from dal.repositories.templates.rows import version_row
from dal.repositories.templates.rules import TARGET, TemplateRules, absent
from dal.session import Scope

__all__ = ["TemplateVersions", "check_version"]

_MAX_VERSION: Final = 2**32 - 1


def check_version(field: str, version: object) -> int:
    """``version``, if it may be the number of one. Raises ValueRejectedError."""
    if type(version) is not int or not 1 <= version <= _MAX_VERSION:
        raise ValueRejectedError(f"{field}: a number of a version, from 1", field=field)
    return version


@part("templates.versions")
class TemplateVersions(TemplateRules):
    """Versions of a template, which never change: ``me.templates.versions``."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._versions = TemplateVersionsGateway(scope)

    async def list_of(
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
        rows = await self._versions.list_by_template(
            template_id=template_id, before_version=before, limit_rows=limit_rows, **self._reader
        )
        if not rows and not await self._is_there(template_id):
            raise absent()
        return page_of(name, rows, limit, lambda row: (row.version,))

    async def get(self, template_id: UUID, version: int) -> TemplateVersion:
        """One version of a template that the actor may see, with its text.

        Raises:
            NotFoundError: no such version of such a template for this actor.
            ValueRejectedError: ``template_id``, or ``version`` is no number of a version.
        """
        check_id("template_id", template_id)
        return await self._versions.get(template_id=template_id, version=version, **self._reader)

    async def diff(
        self, template_id: UUID, from_version: int, to_version: int, *, context: int = 3
    ) -> VersionDiff:
        """What changed between two versions, as unified diffs; empty where nothing did.

        Args:
            context: how many unchanged lines stand around each change, 0 to 1,000.

        Raises:
            NotFoundError: no such template, or not both versions, for this actor.
            ValueRejectedError: an argument is none; ``field`` names it.
        """
        check_id("template_id", template_id)
        for field, version in (("from_version", from_version), ("to_version", to_version)):
            check_version(field, version)
        if type(context) is not int or not 0 <= context <= 1_000:
            raise ValueRejectedError("context: 0 to 1000", field="context")
        old = await self.get(template_id, from_version)
        new = await self.get(template_id, to_version)
        # Comparing long texts takes seconds, in which the loop goes on.
        return await asyncio.to_thread(_diff, old, new, context)

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
        _check_head(expected_head)
        checked_texts(content=content, message=message)
        if not isinstance(system_prompt, Keep):
            checked_texts(system_prompt=system_prompt)
        row = await self._lock_mine("template.commit", template_id)
        return await self._commit(
            "template.commit",
            row,
            content=content,
            system_prompt=system_prompt,
            message=message,
            expected_head=expected_head,
        )

    async def _commit(
        self,
        action: str,
        row: TemplateRow,
        *,
        content: str,
        system_prompt: str | Keep | None,
        message: str | None,
        expected_head: int | None,
    ) -> TemplateVersion:
        """A new version of a template that is locked, or its newest where that says the same."""
        if expected_head is not None and row.head_version != expected_head:
            raise StaleVersionError(
                "somebody made a version first", expected=expected_head, actual=row.head_version
            )
        now = self._scope.clock.now()
        before = await self._get(row.id)
        prompt = before.system_prompt if isinstance(system_prompt, Keep) else system_prompt
        sha256 = content_sha256(content, prompt)
        if sha256 == content_sha256(before.content, before.system_prompt):
            return await self.get(row.id, row.head_version)
        version = TemplateVersion(
            template_id=row.id,
            version=row.last_version + 1,
            content=content,
            system_prompt=prompt,
            variables=find_variables(content, prompt),
            content_sha256=sha256,
            message=message,
            author_name=None,
            created_by=row.owner_id,
            created_at=now,
        )
        updated_at = later(now, row.updated_at)
        await self._templates.update_head(
            template_id=row.id, actor_id=row.owner_id, version=version.version, now=updated_at
        )
        await self._versions.insert_many([version_row(version)])
        await self._index(attrs.evolve(before, content=content, head_version=version.version))
        changes = changes_between(
            {
                "content": before.content,
                "system_prompt": before.system_prompt,
                "head_version": before.head_version,
            },
            {"content": content, "system_prompt": prompt, "head_version": version.version},
        )
        await self._audit.write(action, TARGET, row.id, changes=changes, at=now)
        return version

    @changing
    async def rollback(
        self,
        template_id: UUID,
        version: int,
        *,
        message: str | None = None,
        expected_head: int | None = None,
    ) -> TemplateVersion:
        """Make a new version with the text of an old one; where it is the newest's, no change.

        Args:
            message: why, up to 500 characters; "rollback to N" unless given.
            expected_head: refuse if the newest version is another one.

        Raises:
            NotFoundError: no such live template for this actor, or no such version.
            PermissionDeniedError: visible, and not the actor's.
            StaleVersionError: the newest version is not ``expected_head``.
            ValueRejectedError: an argument cannot be; ``field`` names it.
        """
        check_id("template_id", template_id)
        check_version("version", version)
        _check_head(expected_head)
        checked_texts(message=message)
        row = await self._lock_mine("template.rollback", template_id)
        old = await self.get(template_id, version)
        return await self._commit(
            "template.rollback",
            row,
            content=old.content,
            system_prompt=old.system_prompt,
            message=f"rollback to {version}" if message is None else message,
            expected_head=expected_head,
        )

    @changing
    async def delete(self, template_id: UUID, version: int) -> None:
        """Delete a version for good; its number is not given again.

        Where it was the newest, the newest that remains is the newest now.

        Raises:
            ChildExistsError: a label is on it.
            ConstraintError: it is the only one.
            NotFoundError: no such live template for this actor, or no such version.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id``, or ``version`` is no number of a version.
        """
        check_id("template_id", template_id)
        check_version("version", version)
        action = "template.delete_version"
        row = await self._lock_mine(action, template_id)
        now = self._scope.clock.now()
        if version == row.head_version:
            older = await self._versions.find_before(
                template_id=template_id, before_version=version
            )
            if older is None:
                raise ConstraintError(
                    "the only version stays: delete the template", constraint="only_version"
                )
            await self._templates.update_head_back(
                template_id=template_id,
                actor_id=row.owner_id,
                version=older,
                now=later(now, row.updated_at),
            )
        if not await self._versions.delete_one(
            template_id=template_id, version=version, actor_id=row.owner_id
        ):
            raise NotFoundError("no such version")
        if version == row.head_version:
            await self._index(await self._get(template_id))
        await self._audit.write(
            action,
            TARGET,
            template_id,
            changes={"version": {"from": version, "to": None}},
            at=now,
        )

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
        if self._by_system:
            raise UsageError("the system owns no templates, so it forks none")
        creation = TemplateCreation(self._scope)
        owner = creation.owner("template.fork", None)
        source = await self._get(template_id)
        old = await self.get(template_id, source.head_version if version is None else version)
        new = NewTemplate(
            **{field: getattr(source, field) for field in TEXTS},
            content=old.content,
            system_prompt=old.system_prompt,
            category=source.category,
            tags=sorted(source.tags),
            id=id,
        )
        if name is not None:
            new = attrs.evolve(new, name=name)
        return await creation.create("template.fork", new, owner, old)


def _check_head(expected_head: object) -> None:
    if expected_head is not None and type(expected_head) is not int:
        raise ValueRejectedError("expected_head: a number is required", field="expected_head")


def _diff(old: TemplateVersion, new: TemplateVersion, context: int) -> VersionDiff:
    def of(before: str | None, after: str | None) -> str:
        lines = unified_diff(
            (before or "").split("\n"),
            (after or "").split("\n"),
            f"version {old.version}",
            f"version {new.version}",
            n=context,
            lineterm="",
        )
        return "\n".join(lines)

    return VersionDiff(
        content=of(old.content, new.content),
        system_prompt=of(old.system_prompt, new.system_prompt),
    )
