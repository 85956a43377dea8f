"""``dal import-prices``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, BinaryIO
from uuid import UUID

import attrs
from cyclopts import Parameter

import dal
from dal.cli import output
from dal.cli.exchange import tell
from dal.cli.importing import Importer, Report, Source
from dal.cli.options import Json, Url, named
from dal.cli.planning import Planned
from dal.cli.reading import BadRow, read_json_lines
from dal.errors import DalError, ValueRejectedError
from dal.records.ids import derived_id
from dal.records.new_prices import NewPrice

__all__ = ["Prices", "import_prices"]


@attrs.define(kw_only=True)
class Prices:
    """Price lists: a row has the prices of one model from a time on. The session is the system's.

    A list has no id: it is there when each of its prices is.
    """

    effective_from: str | None = None
    refusal: str = attrs.field(default="another price holds from then on", init=False)
    fatal: tuple[type[DalError], ...] = attrs.field(default=(), init=False)
    _lists: dict[UUID, list[NewPrice]] = attrs.field(factory=dict, init=False)

    def planned(self, file: BinaryIO, on_note: Callable[[str], None]) -> Iterator[Planned | BadRow]:
        """Each row with the id that stands for it here, or a bad one with the reason."""
        self._lists.clear()
        lines: dict[UUID, int] = {}
        for row in read_json_lines(file, not_kept=()):
            if isinstance(row, BadRow):
                yield row
                continue
            try:
                news = self._news(row.values)
            except ValueRejectedError as error:
                yield BadRow(row.line, error.message)
                continue
            first = news[0]
            key = (first.model, first.provider, first.effective_from.isoformat())
            made = derived_id(*(part.encode() for part in key))
            if made in lines:
                yield BadRow(row.line, f"model: that of line {lines[made]} too")
                continue
            lines[made] = row.line
            self._lists[made] = news
            yield Planned(row.line, made, news, 100 * len(news))

    def _news(self, values: dict[str, Any]) -> list[NewPrice]:
        said = dict(values)
        prices = said.pop("prices", None)
        if not isinstance(prices, dict) or not prices:
            raise ValueRejectedError("prices: an object of types and prices", field="prices")
        said.setdefault("effective_from", self.effective_from)
        return [
            NewPrice.from_mapping({**said, "usage_type": name, "unit_price": price})
            for name, price in prices.items()
        ]

    async def taken(self, session: dal.Session, ids: Sequence[UUID]) -> set[UUID]:
        """Which of the lists are there already, as they are here."""
        models = {price.model for made in ids for price in self._lists[made]}
        known = set(await session.prompts.costs.list_prices(models))
        return {made for made in ids if {price.stored for price in self._lists[made]} <= known}

    async def create(self, session: dal.Session, news: Sequence[Any]) -> None:
        """Put in all of them, or none."""
        await session.prompts.costs.add_prices([price for of_row in news for price in of_row])


def import_prices(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    effective_from: Annotated[str | None, Parameter(name="--effective-from")] = None,
    strict: Annotated[bool, Parameter(negative="")] = False,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Put the prices of models of a file into the database.

    JSON lines: model, provider, effective_from (ISO 8601, with its offset), and prices, an object
    of types of tokens (input, output, cache_read, cache_write, reasoning, others by their names)
    and prices as texts, in US dollars a token with at most 18 decimals. The prices of a model hold
    until its next ones begin. A price that is there stays; the same file again changes nothing. A
    bad row is reported as FILE:LINE: reason, the rest goes in, and the exit status is 1.

    Args:
        file: A file, or - for stdin.
        effective_from: Of rows that do not say: 2026-01-01T00:00:00+00:00.
        strict: Put nothing in if any row is bad: one transaction for the whole file.
    """
    if file.startswith("-") and file != "-":
        raise dal.UsageError(f"unknown option: {file} (a file of that name is ./{file})")
    if effective_from is not None:
        try:
            is_time = datetime.fromisoformat(effective_from).tzinfo is not None
        except ValueError:
            is_time = False
        if not is_time:
            raise dal.UsageError("--effective-from: a time with its offset, ISO 8601")
    importer = Importer(kind=Prices(effective_from=effective_from), on_note=output.note)
    with Source.open(file, again=strict) as source:
        report = asyncio.run(_import(importer, source, url, strict=strict))
    tell(report, source.name, strict=strict, as_json=json_)
    return 1 if report.bad else 0


async def _import(importer: Importer, source: Source, url: str | None, *, strict: bool) -> Report:
    async with dal.connect(named(url)) as db:
        system = db.acting_as(dal.Actor.system("dal import-prices"))
        with output.advancing(source.name, source.n_bytes) as advance:
            telling = attrs.evolve(
                importer,
                on_bad=lambda bad: output.note(f"{source.name}:{bad.line}: {bad.reason}"),
                on_batch=advance,
            )
            if not strict:
                return await telling.run(source, system)
            report = telling.check(source)
            return report if report.bad else await telling.run_strict(source, system)
