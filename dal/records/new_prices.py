"""What callers say of prices of models, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import check_time
from dal.records.new_prompts import checked_word
from dal.records.usage import ModelPrice, checked_price, checked_type

__all__ = ["NewPrice"]

_FIELDS = ("model", "provider", "usage_type", "unit_price", "effective_from")


def _model(value: object) -> str:
    return checked_word("model", value, 200)


def _provider(value: object) -> str:
    return checked_word("provider", value, 100)


def _usage_type(value: object) -> str:
    try:
        return checked_type(value)
    except ValueRejectedError as error:
        raise ValueRejectedError(
            error.message.replace("usage:", "usage_type:"), field="usage_type"
        ) from None


def _from(value: object) -> datetime:
    return check_time("effective_from", value)


@attrs.frozen(slots=True, kw_only=True)
class NewPrice:
    """A price in US dollars a token, from a time on until the next prices of the model begin.

    The prices of a model that begin at one time are its price list: what is not in it has no
    price from then on.
    """

    model: str = attrs.field(converter=_model)
    provider: str = attrs.field(converter=_provider)
    usage_type: str = attrs.field(converter=_usage_type)
    unit_price: Decimal = attrs.field(converter=checked_price)
    effective_from: datetime = attrs.field(converter=_from)

    @property
    def stored(self) -> ModelPrice:
        """The price as it is read."""
        return ModelPrice(
            model=self.model,
            provider=self.provider,
            effective_from=self.effective_from,
            usage_type=self.usage_type,
            unit_price=self.unit_price,
        )

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> NewPrice:
        """The price of a row of an import: keys are field names, ``unit_price`` is a text, since
        a JSON number is not exact, and ``effective_from`` is ISO 8601.

        Raises:
            ValueRejectedError: an unknown or missing key, or a value that cannot be stored.
        """
        for name in row.keys() - set(_FIELDS):
            raise ValueRejectedError(f"{name}: no field of a price", field=str(name))
        for name in _FIELDS:
            if row.get(name) is None:
                raise ValueRejectedError(f"{name}: missing", field=name)
        values = dict(row)
        try:
            values["unit_price"] = Decimal(str(values["unit_price"]))
            if not isinstance(row["unit_price"], str):
                raise InvalidOperation
        except InvalidOperation:
            raise ValueRejectedError(
                'unit_price: a text, as "0.0000025"', field="unit_price"
            ) from None
        try:
            values["effective_from"] = datetime.fromisoformat(str(values["effective_from"]))
        except ValueError:
            raise ValueRejectedError("effective_from: malformed", field="effective_from") from None
        return cls(**values)
