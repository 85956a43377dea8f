#!/usr/bin/env python3
"""Turn published collections of dialogues into JSON lines for `dal import --kind conversations`.

    scripts/dialogues.py mtbench101                 one collection, to stdout
    scripts/dialogues.py --out build                every collection, build/NAME.jsonl each

Every turn is in a prompt, or is left out with its reason on stderr and in the count. A file that
is not what it should be ends the run and names the line; nothing is written for it.

Exit status: 0 done, 1 a malformed file, 2 wrong usage or no data.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from datasets import (
    Report,
    Row,
    named_line,
    optional_text,
    read_json_lines,
    row_list,
    run,
    text,
)

THE_LOG = "(the log)"
"""Who says what no nick is named for: that somebody came, or changed their name."""

MAX_TITLE = 80


@dataclass(frozen=True)
class Dialogues:
    """One collection: where it is, whom to credit, how its rows become conversations."""

    file: str
    credit: str
    convert: Callable[[Iterator[tuple[int, Row]], Path, Report], Iterator[Row]]

    def rows(self, path: Path, report: Report | None = None) -> Iterator[Row]:
        """Yield the conversations of the file; `report` counts the turns.

        Raises:
            DataAbsentError: there is no such file.
            DataError: the file is malformed; names file and line.
        """
        seen = report if report is not None else Report(path.name)
        yield from self.convert(read_json_lines(path), path, seen)


def title_of(words: str, otherwise: str) -> str:
    """The first words of what was said, in a line; `otherwise` where nothing of it can be seen."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", words).split())
    if not line:
        return otherwise
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rstrip() + "…"


def address_of(nick: str) -> str:
    """An address that is the nick's alone: two that differ in case alone are two people."""
    seen = re.sub(r"[^a-z0-9]+", "-", nick.lower()).strip("-") or "nick"
    return f"{seen[:40]}-{sha256(nick.encode()).hexdigest()[:12]}@irc.example.org"


def irc_conversations(rows: Iterator[tuple[int, Row]], path: Path, report: Report) -> Iterator[Row]:
    """log, channel, seq, date, time, user, kind, text, conversation: a conversation for each name.

    Many share their minute, so the order is that of `seq`. Who speaks first owns it. A day and a
    minute are UTC; where one is missing, the prompt has the time of the import.

    Left out, as a prompt has no place for it: reply_to, kind.
    """
    found: dict[str, list[tuple[int, int, Row]]] = {}
    for line, row in rows:
        report.rows += 1
        with named_line(path, line):
            number = row.get("seq")
            if not isinstance(number, int):
                raise ValueError("'seq' is no whole number")
            text(row, "text")
            optional_text(row, "user")
            found.setdefault(text(row, "conversation"), []).append((number, line, row))
    for name, said in found.items():
        said.sort(key=lambda item: item[0])
        nicks = [optional_text(row, "user") or THE_LOG for _, _, row in said]
        people = {nick: address_of(nick) for nick in nicks}
        owner = people[nicks[0]]
        prompts = [
            {
                "author_id": people[nick],
                "user_input": text(row, "text"),
                "created_at": _minute(row),
            }
            for nick, (_, _, row) in zip(nicks, said, strict=True)
        ]
        report.add([line for _, line, _ in said], [], [])
        yield {
            "title": title_of(text(said[0][2], "text"), name),
            "description": f"{text(said[0][2], 'channel')}: {name}",
            "owner_id": owner,
            "participants": {who: "collaborator" for who in people.values() if who != owner},
            "names": {address: nick for nick, address in people.items()},
            "prompts": prompts,
        }


def _minute(row: Row) -> str | None:
    day, minute = optional_text(row, "date"), optional_text(row, "time")
    return f"{day}T{minute}+00:00" if day and minute else None


def mtbench_conversations(
    rows: Iterator[tuple[int, Row]], path: Path, report: Report
) -> Iterator[Row]:
    """task, id, history of user and bot: a conversation a row, a prompt two turns."""
    for line, row in rows:
        with named_line(path, line):
            turns = row_list(row, "history")
            report.rows += 2 * len(turns)
            prompts = [
                {"user_input": text(turn, "user"), "response": text(turn, "bot")} for turn in turns
            ]
            name = f"{text(row, 'task')} {row.get('id')}"
            first = text(turns[0], "user") if turns else ""
        report.add([line] * (2 * len(turns)), [], [])
        yield {
            "title": title_of(first, name),
            "description": name,
            "context": {"task": text(row, "task")},
            "prompts": prompts,
        }


def oasst_conversations(
    rows: Iterator[tuple[int, Row]], path: Path, report: Report
) -> Iterator[Row]:
    """message_tree_id, prompt with replies of replies: a conversation a tree.

    A question with an answer is a prompt, of several answers one each, beside each other, best rank
    first; a question without one is a prompt without a response. What is asked on an answer follows
    it.

    Left out, as a prompt has no place for it: rank, emojis, review_count.
    """
    for line, row in rows:
        with named_line(path, line):
            root = row.get("prompt")
            if not isinstance(root, dict):
                raise ValueError("'prompt' is no object")
            prompts: list[Row] = []
            # Depth first, and so what is followed comes before what follows it.
            waiting: list[tuple[Row, int]] = [(root, 0)]
            messages = 0
            while waiting:
                asked, parent = waiting.pop()
                answers = row_list(asked, "replies")
                messages += 1 + len(answers)
                for answer in sorted(answers, key=lambda one: one.get("rank") or 0) or [None]:
                    prompts.append(_asked(asked, answer, parent))
                    if answer is not None:
                        following = row_list(answer, "replies")
                        waiting += [(one, len(prompts)) for one in reversed(following)]
            name = text(row, "message_tree_id")
            first = text(root, "text")
        report.rows += messages
        report.add([line] * messages, [], [])
        yield {
            "title": title_of(first, name),
            "description": name,
            "context": {"messages": messages},
            "prompts": prompts,
        }


def _asked(asked: Row, answer: Row | None, parent: int) -> Row:
    roles = [asked.get("role"), "assistant" if answer is None else answer.get("role")]
    if roles != ["prompter", "assistant"]:
        raise ValueError("a question is answered by the other one")
    return {
        "user_input": text(asked, "text"),
        "response": None if answer is None else text(answer, "text"),
        "model": optional_text(answer, "model_name") if answer and "model_name" in answer else None,
        "parent_sequence": parent,
    }


ARENA_MODELS = ("gpt-4-0613", "gpt-3.5-turbo-0125")


def arena_conversations(
    rows: Iterator[tuple[int, Row]], path: Path, report: Report
) -> Iterator[Row]:
    """question_id, cluster, turns; beside it a file a model with its answers: a conversation a
    question, its answers variations of one prompt, the first model's selected.

    Left out, as a prompt has no place for it: answer_id, category.
    """
    answers: dict[tuple[str, str], Row] = {}
    for model in ARENA_MODELS:
        beside = path.with_name(f"arena_hard_answer_{model}.jsonl")
        for line, row in read_json_lines(beside):
            with named_line(beside, line):
                if text(row, "model_id") != model:
                    raise ValueError("'model_id' is another one")
                answers[text(row, "question_id"), model] = row
    for line, row in rows:
        with named_line(path, line):
            name = text(row, "question_id")
            (turn,) = row_list(row, "turns")
            asked = text(turn, "content")
            prompts = [
                _arena_answer(asked, model, answers[name, model])
                for model in ARENA_MODELS
                if (name, model) in answers
            ]
            if len(prompts) != len(ARENA_MODELS):
                raise ValueError("a model did not answer it")
        prompts[0]["is_selected"] = True
        report.rows += 1 + len(prompts)
        report.add([line] * (1 + len(prompts)), [], [])
        yield {
            "title": title_of(asked, name),
            "description": name,
            "context": {"cluster": text(row, "cluster")},
            "prompts": prompts,
        }


def _arena_answer(asked: str, model: str, answer: Row) -> Row:
    (choice,) = row_list(answer, "choices")
    (turn,) = row_list(choice, "turns")
    tokens, at = turn.get("token_len"), answer.get("tstamp")
    if not isinstance(tokens, int) or not isinstance(at, float):
        raise ValueError("'token_len' or 'tstamp' is no number")
    return {
        "user_input": asked,
        "response": text(turn, "content"),
        "provider": "openai",
        "model": model,
        "token_count": tokens,
        "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "variation_of": 1,
    }


adapters: dict[str, Dialogues] = {
    "arena_hard": Dialogues(
        file="arena_hard_question.jsonl",
        credit="lm-sys/arena-hard-auto @ efc012e1, Apache-2.0",
        convert=arena_conversations,
    ),
    "irc_disentangled_messages": Dialogues(
        file="irc_disentangled_messages.jsonl",
        credit="jkkummerfeld/irc-disentanglement @ 82ed04f9, CC-BY 4.0",
        convert=irc_conversations,
    ),
    "mtbench101": Dialogues(
        file="mtbench101.jsonl",
        credit="mtbench101/mt-bench-101 @ bc18b3e2, Apache-2.0",
        convert=mtbench_conversations,
    ),
    "oasst_en_100_tree": Dialogues(
        file="oasst_en_100_tree.jsonl",
        credit="LAION-AI/Open-Assistant @ f1e6ed95, Apache-2.0",
        convert=oasst_conversations,
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit status."""
    return run("scripts/dialogues.py", __doc__, adapters, "conversations", arguments)


if __name__ == "__main__":
    sys.exit(main())
