"""Labels of a template: on which version each is, and who moved it there."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import attrs

from dal.errors import NotFoundError
from dal.gateways import (
    TemplateLabelMovesGateway,
    TemplateLabelsGateway,
    TemplateVersionsGateway,
)
from dal.records.ids import check_id, new_id
from dal.records.page import Page, check_limit, page_of, start_by_time
from dal.records.templates import TemplateLabel, TemplateLabelMove, TemplateVersion
from dal.records.text import LATEST, label_key
from dal.repositories.base import changing, part
from dal.repositories.templates.rules import TARGET, TemplateRules, absent
from dal.repositories.templates.versions import TemplateVersions, check_version
from dal.session import Scope

__all__ = ["DEFAULT_LABEL", "TemplateLabels"]

DEFAULT_LABEL: Final = "production"
"""The label that is meant where none is said."""


def _moved(label: str, before: int | None, after: int | None) -> dict[str, object]:
    """What the audit log tells of it."""
    return {"label": {"from": label, "to": label}, "version": {"from": before, "to": after}}


@part("templates.labels")
class TemplateLabels(TemplateRules):
    """Labels of a template: ``me.templates.labels``. Each is on one version, and can be moved."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._versions = TemplateVersionsGateway(scope)
        self._labels = TemplateLabelsGateway(scope)
        self._label_moves = TemplateLabelMovesGateway(scope)

    async def get_version(self, template_id: UUID, label: str | None = None) -> TemplateVersion:
        """The version that a label is on, with its text.

        Args:
            label: ``latest`` is the newest version. None: ``production``, and the newest version
                where that is on none.

        Raises:
            NotFoundError: no such template for this actor, or the label is on none of its versions.
            ValueRejectedError: ``template_id``, or ``label`` is no name of a label.
        """
        check_id("template_id", template_id)
        is_latest = isinstance(label, str) and label.strip().casefold() == LATEST
        wanted = DEFAULT_LABEL if label is None else LATEST if is_latest else label_key(label)
        or_newest = label is None or is_latest
        found = await self._versions.find_labelled(
            template_id=template_id, label=wanted, or_newest=or_newest, **self._reader
        )
        if found is None:
            raise absent()
        return found

    async def list_of(self, template_id: UUID, *, limit: int = 500) -> list[TemplateLabel]:
        """The labels of a template by name; ``latest`` is none of them.

        Raises:
            NotFoundError: no such template for this actor.
            ValueRejectedError: ``template_id`` or ``limit``.
        """
        check_id("template_id", template_id)
        check_limit(limit)
        labels = await self._labels.list_by_template(
            template_id=template_id, limit_rows=limit, **self._reader
        )
        if not labels and not await self._is_there(template_id):
            raise absent()
        return labels

    async def list_moves(
        self, template_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateLabelMove]:
        """Who set, moved or removed which label of a template, newest first.

        Raises:
            NotFoundError: no such template for this actor.
            ValueRejectedError: ``template_id``, ``limit`` or ``after``.
        """
        name = f"templates.list_label_moves:{check_id('template_id', template_id)}"
        at, last = start_by_time(name, after)
        rows = await self._label_moves.list_by_template(
            template_id=template_id,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        if not rows and not await self._is_there(template_id):
            raise absent()
        return page_of(name, rows, limit, lambda row: (row.moved_at, row.id))

    @changing
    async def set(self, template_id: UUID, label: str, version: int) -> TemplateLabel:
        """Put a label on a version, from wherever it was before; there already is no change.

        Args:
            label: up to 100 characters, trimmed, NFC, case-folded; ``latest`` is not to be set.

        Raises:
            NotFoundError: no such live template for this actor, or no such version.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: an argument cannot be; ``field`` names it.
        """
        check_id("template_id", template_id)
        label = label_key(label)
        check_version("version", version)
        action = "template.set_label"
        row = await self._lock_mine(action, template_id)
        before = await self._labels.lock_one(template_id=template_id, label=label)
        if before is not None and before.version == version:
            return before
        # Raises NotFoundError where there is no such version.
        await TemplateVersions(self._scope).get(template_id, version)
        now = self._scope.clock.now()
        after = TemplateLabel(template_id, label, version, row.owner_id, now)
        if before is None:
            await self._labels.insert_many([attrs.asdict(after)])
        else:
            await self._labels.update_version(
                template_id=template_id,
                label=label,
                version=version,
                moved_by=row.owner_id,
                moved_at=now,
            )
        old = None if before is None else before.version
        await self._record_move(template_id, label, old, version, row.owner_id, now)
        await self._audit.write(
            action, TARGET, template_id, changes=_moved(label, old, version), at=now
        )
        return after

    @changing
    async def remove(self, template_id: UUID, label: str) -> None:
        """Take a label off the version that it is on.

        Raises:
            NotFoundError: no such live template for this actor, or it has no such label.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id``, or ``label`` is no name of a label.
        """
        check_id("template_id", template_id)
        label = label_key(label)
        action = "template.remove_label"
        row = await self._lock_mine(action, template_id)
        before = await self._labels.lock_one(template_id=template_id, label=label)
        if before is None:
            raise NotFoundError("the template has no such label")
        await self._labels.delete_one(template_id=template_id, label=label)
        now = self._scope.clock.now()
        await self._record_move(template_id, label, before.version, None, row.owner_id, now)
        changes = _moved(label, before.version, None)
        await self._audit.write(action, TARGET, template_id, changes=changes, at=now)

    async def _record_move(
        self,
        template_id: UUID,
        label: str,
        before: int | None,
        after: int | None,
        by: UUID,
        now: datetime,
    ) -> None:
        await self._label_moves.insert_many(
            [
                {
                    "move_id": new_id(now),
                    "template_id": template_id,
                    "label": label,
                    "from_version": before,
                    "to_version": after,
                    "moved_by": by,
                    "moved_at": now,
                }
            ]
        )
