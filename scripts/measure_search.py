#!/usr/bin/env python3
"""Load a collection that people judged, search it on both servers, and print how well that went.

Run by scripts/search_quality, whose --help says what the folder holds.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import log2
from pathlib import Path

import dal

ENGINES = ("mariadb", "mysql")
AT_ONCE = 4
BATCH = 500
NAME_CHARS = 255
TEXT_CHARS = 1_000

Judgements = dict[str, dict[str, int]]


class DataError(Exception):
    """The folder does not hold what it should; the message says what."""


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                if not isinstance(row, dict) or not all(key in row for key in ("_id", "text")):
                    raise ValueError("no object of _id and text")
            except ValueError as error:
                raise DataError(f"{path}:{number}: {error}") from error
            yield row


def _judgements(folder: Path) -> Judgements:
    path = folder / "qrels.tsv"
    if not path.is_file():
        path = folder / "qrels" / "test.tsv"
    judged: Judgements = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        next(rows, None)
        for number, row in enumerate(rows, 2):
            try:
                query, document, score = row
                relevance = int(score)
            except ValueError as error:
                raise DataError(f"{path}:{number}: {error}") from error
            if relevance > 0:
                judged.setdefault(query, {})[document] = relevance
    if not judged:
        raise DataError(f"{path}: nothing is relevant to anything")
    return judged


def ndcg(found: Sequence[str], relevant: Mapping[str, int], depth: int) -> float:
    """Normalised discounted cumulative gain of the first ``depth``, as trec_eval counts it."""
    best = sorted(relevant.values(), reverse=True)
    gain = sum(relevant.get(one, 0) / log2(at + 2) for at, one in enumerate(found[:depth]))
    return gain / sum(value / log2(at + 2) for at, value in enumerate(best[:depth]))


def recall(found: Sequence[str], relevant: Mapping[str, int], depth: int) -> float:
    """The share of what is relevant that is among the first ``depth``."""
    return len(relevant.keys() & set(found[:depth])) / len(relevant)


def _template(row: Mapping[str, str]) -> dal.NewTemplate:
    title, text = row.get("title") or "", row["text"]
    if len(title) > NAME_CHARS:
        title, text = title[:NAME_CHARS], f"{title}\n{text}"
    return dal.NewTemplate(name=title, content=text, visibility=dal.Visibility.PUBLIC)


async def _fill(me: dal.Session, path: Path) -> dict[object, str]:
    """Load the documents; which template is which."""
    ids: dict[object, str] = {}
    rows = _lines(path)
    while batch := list(islice(rows, BATCH)):
        made = await me.templates.exchange.create_many(_template(row) for row in batch)
        ids |= {one.id: row["_id"] for one, row in zip(made, batch, strict=True)}
    return ids


async def measure(engine: str, folder: Path) -> tuple[float, float]:
    """Print and give nDCG@10 and recall@100 on one server."""
    judged = _judgements(folder)
    queries = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    async with dal.connect(f"private:temporary?engine={engine}") as db:
        system = db.acting_as(dal.Actor.system("search_quality"))
        owner = await system.users.create(email="corpus@example.org", full_name="Corpus")
        began = time.perf_counter()
        ids = await _fill(db.acting_as(dal.Actor.user(owner.id)), folder / "corpus.jsonl")
        loaded = time.perf_counter()
        await system.templates.search_statistics.refresh()
        counted = time.perf_counter()
        visitor = db.acting_as(dal.Actor.anonymous())
        lock = asyncio.Semaphore(AT_ONCE)

        async def ask(text: str, limit: int = 100) -> list[str]:
            async with lock:
                page = await visitor.templates.search(text[:TEXT_CHARS], limit=limit)
            return [ids[hit.template.id] for hit in page.rows]

        async def cost(limit: int) -> tuple[float, float]:
            """Milliseconds of time and of this processor for a query, one after the other."""
            wall, busy = time.perf_counter(), time.process_time()
            for query in judged:
                await ask(queries[query], limit)
            ended = time.perf_counter() - wall, time.process_time() - busy
            return ended[0] / len(judged) * 1000, ended[1] / len(judged) * 1000

        # A fresh commit may be missed by a query or two.
        await ask(queries[next(iter(judged))])
        await ask(queries[next(iter(judged))])
        answers = await asyncio.gather(*(ask(queries[query]) for query in judged))
        asked = time.perf_counter()
        costs = {limit: await cost(limit) for limit in (20, 100)}
    pairs = list(zip(answers, judged.values(), strict=True))
    found = (
        sum(ndcg(answer, relevant, 10) for answer, relevant in pairs) / len(pairs),
        sum(recall(answer, relevant, 100) for answer, relevant in pairs) / len(pairs),
    )
    print(
        f"{engine:8} nDCG@10 {found[0]:.4f}  recall@100 {found[1]:.4f}"
        f"  ({len(ids):,} documents, {len(pairs):,} queries;"
        f" loaded in {loaded - began:.1f} s, counted in {counted - loaded:.1f} s,"
        f" {(asked - counted) / len(pairs) * 1000:.1f} ms a query of {AT_ONCE} at once)",
        flush=True,
    )
    for limit, (wall, busy) in costs.items():
        print(
            f"{'':8} limit {limit}: {wall:.1f} ms a query, {busy:.1f} ms of processor", flush=True
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument(
        "--least", type=float, nargs=2, metavar=("NDCG", "RECALL"), default=(0.0, 0.0)
    )
    arguments = parser.parse_args()
    enough = True
    try:
        for engine in ENGINES if arguments.engine == "both" else (arguments.engine,):
            found = asyncio.run(measure(engine, arguments.folder))
            enough &= all(map(float.__ge__, found, arguments.least))
    except (DataError, OSError, KeyError) as error:
        print(f"search_quality: {error}", file=sys.stderr)
        return 2
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
