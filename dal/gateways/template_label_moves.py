"""The table template_label_moves. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.templates import TemplateLabelMove
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplateLabelMovesGateway"]

_INSERT_MANY = house().bulk("template_label_moves/insert_many")
_LIST_BY_TEMPLATE = house().many("template_label_moves/list_by_template", TemplateLabelMove)


@attrs.frozen(slots=True)
class TemplateLabelMovesGateway:
    """A method per file of ``sql/template_label_moves/``."""

    executor: Executor

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Record that labels of a locked template were moved."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_template(
        self,
        *,
        template_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[TemplateLabelMove]:
        """Page through label moves of a live template that the actor may see, newest first."""
        return await self.executor.many(
            _LIST_BY_TEMPLATE,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )
