#!/usr/bin/env python3
"""Turn published price lists of models into JSON lines that `dal import-prices` reads.

    scripts/prices.py llm_prices                    one list, to stdout
    scripts/prices.py --out build                   every list, build/NAME.jsonl each

Every row becomes the prices of one model, or is left out with its reason on stderr and in the
count. A price of more than 18 decimals, which is the noise of binary fractions, is rounded, and
that is said. A file that is not what it should be ends the run and names the line; nothing is
written for it.

Exit status: 0 done, 1 a malformed file, 2 wrong usage or no data.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path

from datasets import Change, Report, Row, named_line, read_csv, run, text

STEP = Decimal(10) ** -18
# What the columns of the list are called -> the type of the tokens.
COLUMNS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
}


@dataclass(frozen=True)
class PriceList:
    """A published list: where it is and whom to credit."""

    file: str
    credit: str

    def rows(self, path: Path, report: Report | None = None) -> Iterator[Row]:
        """Yield the models of the file with their prices; `report` counts them.

        Raises:
            DataAbsentError: there is no such file.
            DataError: the file is malformed; names file and line.
        """
        seen = report if report is not None else Report(path.name)
        for line, row in read_csv(path):
            changes: list[str] = []
            with named_line(path, line):
                model = model_row(row, changes.append)
            seen.rows += 1
            seen.add(
                [line],
                [(change, line) for change in changes],
                [] if model["prices"] else ["it has no price"],
            )
            if model["prices"]:
                yield model


def model_row(row: Row, change: Change) -> Row:
    """model, provider and the four prices; the others of its columns are no prices of tokens."""
    prices = {}
    for column, usage_type in COLUMNS.items():
        said = text(row, column)
        if said:
            prices[usage_type] = price(said, change)
    return {"model": text(row, "model"), "provider": text(row, "provider"), "prices": prices}


def price(said: str, change: Change) -> str:
    """A price of at most 18 decimals, written out.

    Raises:
        ValueError: it is no number, or less than nothing.
    """
    try:
        exact = Decimal(said)
    except InvalidOperation:
        raise ValueError(f"{said!r} is no price") from None
    if not exact.is_finite() or exact < 0:
        raise ValueError(f"{said!r} is no price")
    rounded = exact.quantize(STEP, ROUND_HALF_EVEN)
    if rounded != exact:
        change("price rounded to 18 decimals")
    return f"{rounded.normalize():f}"


adapters: dict[str, PriceList] = {
    "llm_prices": PriceList(
        file="llm_prices.csv", credit="litellm 1.109.1, MIT, Copyright (c) 2023 Berri AI"
    )
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit status."""
    return run("scripts/prices.py", __doc__, adapters, "models", arguments)


if __name__ == "__main__":
    sys.exit(main())
