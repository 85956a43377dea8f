"""The table model_prices. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from dal.records.usage import ModelPrice
from dal.session import Executor
from dal.statements import house

__all__ = ["ModelPricesGateway"]

_INSERT_MANY = house().bulk("model_prices/insert_many")
_LIST_BY_MODELS = house().many("model_prices/list_by_models", ModelPrice)


@attrs.frozen(slots=True)
class ModelPricesGateway:
    """A method per file of ``sql/model_prices/``."""

    executor: Executor

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create prices of models; the primary key decides between two who say one at once."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_models(self, *, model_names: Sequence[str]) -> list[ModelPrice]:
        """List all prices of these models, of all times."""
        return await self.executor.many(_LIST_BY_MODELS, model_names=model_names)
