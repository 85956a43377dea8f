"""The part of scripts/demo_show.py that is about costs: prices, what answers took, numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

import attrs
import datasets
import prices

import dal
from dal.cli import output
from dal.cli.exchange import summary
from dal.cli.importing import Importer, Source
from dal.cli.prices import Prices

__all__ = ["SAMPLE_PRICES", "PriceFile", "show_costs"]

SAMPLE_PRICES: Final = Path(__file__).resolve().parent / "sample_prices.jsonl"
_SINCE: Final = "2020-01-01T00:00:00+00:00"
_SAMPLE_MODELS: Final = ("small-model", "large-model")
_MODELS: Final = ("gpt-4o-mini", "gpt-4o")


class Say(Protocol):
    """Where it is shown."""

    def title(self, text: str) -> None:
        """A heading."""

    def check(self, what: str, holds: bool) -> None:
        """That something holds, or does not."""


@attrs.frozen
class PriceFile:
    """A file of prices, and two models of it that are compared."""

    name: str
    path: Path
    models: tuple[str, str]

    @classmethod
    def published(cls, data: Path, folder: Path) -> PriceFile:
        """The list in ``data``, as JSON lines in ``folder``."""
        ((name, adapter),) = prices.adapters.items()
        report = datasets.Report(adapter.file, "models")
        path = folder / f"{name}.jsonl"
        rows = adapter.rows(data / adapter.file, report)
        datasets.write_atomically(path, map(datasets.json_line, rows))
        output.say(f"{report}\n  from {adapter.credit}")
        return cls(name, path, _MODELS)

    @classmethod
    def sample(cls) -> PriceFile:
        """The one beside this script."""
        return cls("sample", SAMPLE_PRICES, _SAMPLE_MODELS)


async def show_costs(db: dal.Database, owner: dal.User, file: PriceFile, say: Say) -> None:
    """Import prices; ask, answer by two models side by side; what it cost, and would have cost."""
    system, me = (
        db.acting_as(actor) for actor in (dal.Actor.system("demo"), dal.Actor.user(owner.id))
    )
    say.title("What it costs")
    with Source.open(str(file.path)) as source:
        importer = Importer(kind=Prices(effective_from=_SINCE))
        report = await importer.run(source, system)
    output.say(f"{file.name}: {summary(report)}")
    say.check("every price list is in", not report.bad)
    talk = await me.conversations.create(title="Costs")
    first = await me.prompts.create(
        talk.id, user_input="Why is the sky blue?", model=file.models[0]
    )
    second = await me.prompts.variations.create(first.id, model=file.models[1])
    usage = {"input": 812, "cache_read": 4_096, "output": 220}
    for n, asked in enumerate((first, second)):
        await me.prompts.start(asked.id)
        await me.prompts.complete(
            asked.id, response=f"Light scatters.\n{n}", usage=usage, latency_ms=700 + 900 * n
        )
    compared = await me.prompts.variations.compare(first.id)
    output.table(
        ["variation", "model", "tokens", "US dollars", "ms"],
        [
            (
                one.prompt.variation_number,
                one.prompt.model,
                one.prompt.token_count,
                f"{one.prompt.cost.normalize():f}",
                one.prompt.latency_ms,
            )
            for one in compared
        ],
    )
    (attempt,) = await me.prompts.costs.get_attempts(first.id)
    by_hand = sum(((item.unit_price or 0) * item.token_count for item in attempt.items), Decimal(0))
    say.check("the cost is tokens times price, to the last decimal", by_hand == attempt.record.cost)
    elsewhere = await me.prompts.costs.compare_conversation(talk.id, model=file.models[1])
    output.say(
        f"both answers by {file.models[1]} would have cost"
        f" {elsewhere.elsewhere.cost.normalize():f} US dollars"
    )
    now = datetime.now(UTC)
    numbers = await me.prompts.analytics.report(
        dal.UsageOf.conversation(talk.id),
        from_at=now - timedelta(hours=1),
        until_at=now + timedelta(hours=1),
    )
    total = numbers.total
    output.say(
        f"{total.completed} answers, {total.tokens:,} tokens, {total.tokens_per_s or 0:.0f} output"
        f" tokens a second, {100 * (total.cached_share or 0):.0f} % from the cache"
    )
    today = now.date()
    days = await me.prompts.analytics.days_report(dal.UsageOf.mine(), first=today, last=today)
    say.check("the roll-up has them", days.total.completed >= total.completed)
    await me.conversations.soft_delete(talk.id)
