"""The rules of the house that the text of a statement alone can keep or break."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from dal.statements import Statement
from dal.statements.lexer import Kind, Token, tokens

# Not the same on both servers, hidden inputs, or no way to page.
_BANNED: Final = frozenset(
    {
        "OFFSET", "RETURNING", "REPLACE", "NOW", "SYSDATE", "CURDATE", "CURTIME", "LOCALTIME",
        "LOCALTIMESTAMP", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "UNIX_TIMESTAMP", "RAND", "UUID",
        "USER", "SESSION_USER", "SYSTEM_USER", "DATABASE", "SCHEMA", "SQL_CALC_FOUND_ROWS",
    }
)  # fmt: skip
_BANNED_PAIRS: Final = frozenset({("FOR", "SHARE"), ("NATURAL", "JOIN"), ("CROSS", "JOIN")})
_COMPARISONS: Final = frozenset({"<", ">", "=", "IN"})
# A clause that may follow the list of what an ORDER BY sorts by.
_AFTER_ORDER: Final = frozenset({"LIMIT", "FOR", "LOCK"})
_AFTER_GROUPS: Final = frozenset({"HAVING", "ORDER", "LIMIT", "FOR", "LOCK"})
_DESCENDING: Final = re.compile(r"\b(?:newest|last|most [a-z ]+) first\b")
_ALIAS: Final = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]+)\s+AS\s+([a-z_0-9]+)")


def significant(sql: str) -> list[Token]:
    """The tokens that mean something."""
    return [t for t in tokens(sql) if t.kind not in (Kind.SPACE, Kind.COMMENT)]


def top_level(found: Iterable[Token]) -> list[Token]:
    """The tokens outside of all parentheses; what stands in them is left out."""
    depth = 0
    top = []
    for token in found:
        depth -= token.text == ")"
        if depth == 0:
            top.append(token)
        depth += token.text == "("
    return top


def aliases(sql: str) -> dict[str, str]:
    """Alias -> table, for every table that is read under an alias."""
    return {alias: table for table, alias in _ALIAS.findall(sql)}


def order_of(sql: str) -> list[str]:
    """What the whole statement is ordered by: ``t.created_at DESC``, ``t.id DESC``."""
    return _terms(sql, "ORDER", _AFTER_ORDER)


def groups_of(sql: str) -> list[str]:
    """What the whole statement is grouped by: a row for each."""
    return _terms(sql, "GROUP", _AFTER_GROUPS)


def _terms(sql: str, word: str, ends: frozenset[str]) -> list[str]:
    top = top_level(significant(sql))
    words = [token.text.upper() for token in top]
    start = next((i + 2 for i, pair in enumerate(pairwise(words)) if pair == (word, "BY")), None)
    if start is None:
        return []
    terms: list[list[str]] = [[]]
    for token in top[start:]:
        if token.text.upper() in ends:
            break
        if token.text == ",":
            terms.append([])
        else:
            terms[-1].append(token.text)
    return [" ".join(term).replace(" . ", ".") for term in terms]


def _words(found: Sequence[Token]) -> list[str]:
    return [token.text.upper() for token in found]


def _star(found: Sequence[Token]) -> list[str]:
    faults = []
    for before, token in pairwise(found):
        if token.text == "*" and before.text.upper() in ("SELECT", ",", ".", "DISTINCT"):
            faults.append("columns are listed, never *")
    return faults


def _banned(found: Sequence[Token]) -> list[str]:
    words = [token.text.upper() for token in found if token.kind is Kind.WORD]
    faults = [f"{w} is not used here" for w in words if w in _BANNED or w.startswith("CURRENT_")]
    faults += [
        f"{' '.join(pair)} is not used here" for pair in pairwise(words) if pair in _BANNED_PAIRS
    ]
    if "DUPLICATE" in words and "VALUES" in words[words.index("DUPLICATE") :]:
        faults.append("an upsert names the parameter again, not VALUES()")
    return faults


def _row_constructor(found: Sequence[Token]) -> list[str]:
    """``(a, b) < (c, d)`` uses no range of an index on either server."""
    opened: list[tuple[int, bool]] = []
    for i, token in enumerate(found):
        if token.text == "(":
            before = found[i - 1].text.upper() if i and found[i - 1].kind is Kind.WORD else "AND"
            is_call = before not in ("AND", "OR", "WHERE", "ON", "NOT", "IN")
            opened.append((i, is_call))
        elif token.text == ")" and opened:
            start, is_call = opened.pop()
            inside = _words(top_level(found[start + 1 : i]))
            following = found[i + 1].text.upper() if i + 1 < len(found) else ""
            if not is_call and "," in inside and following in _COMPARISONS:
                return ["a row constructor is compared: write (a < :a OR (a = :a AND b < :b))"]
    return []


def _as_always(sql: str, found: Sequence[Token]) -> list[str]:
    faults = []
    top = top_level(found)
    words = _words(top)
    if words[0] in ("SELECT", "WITH") and "FROM" in words:
        item: list[Token] = []
        for token in [*top[words.index("SELECT") + 1 : words.index("FROM")], None]:
            if token is not None and token.text != ",":
                item.append(token)
                continue
            if len(item) < 2 or item[-2].text.upper() != "AS":
                faults.append(f"no AS: {' '.join(t.text for t in item)}")
            item = []
    depth = 0
    for i, token in enumerate(found):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        is_single = words[0] == "DELETE" and depth == 0
        if token.text.upper() in ("FROM", "JOIN") and not is_single:
            following = found[i + 1 : i + 3]
            if following[0].text != "(" and following[-1].text.upper() != "AS":
                faults.append(f"no AS: {following[0].text}")
    return faults


def _many(statement: Statement) -> list[str]:
    if statement.header.verb != "many":
        return []
    top = _words(top_level(significant(statement.sql)))
    faults = [] if "LIMIT" in top else ["many rows need a LIMIT"]
    if "LIMIT" in top and "," in top[top.index("LIMIT") :]:
        faults.append("LIMIT with an offset: page by key")
    order = order_of(statement.sql)
    if not order:
        return [*faults, "many rows need an ORDER BY"]
    descends = order[0].endswith(" DESC")
    if descends != bool(_DESCENDING.search(statement.header.summary)):
        said = statement.header.summary
        faults.append(f"the order begins {'down' if descends else 'up'}wards, and says: {said}")
    cursor = [p.name for p in statement.params if p.name.startswith("before_")]
    if not cursor and any(term.endswith(" DESC") for term in order[1:]):
        faults.append("ties are broken upwards")
    if cursor and len({term.endswith(" DESC") for term in order}) != 1:
        faults.append("a list that pages by key has one direction")
    return faults


def _access(statement: Statement) -> list[str]:
    """Who asks is a parameter where access depends on it, and only there."""
    asks = any(param.name == "actor_id" for param in statement.params)
    access = statement.header.access
    needs = access.removesuffix(" or system") in ("actor", "participant", "public or actor")
    by_system = any(param.name == "actor_is_system" for param in statement.params)
    if by_system != access.endswith(" or system"):
        return [f"access: {access}, and actor_is_system is {'' if by_system else 'not '}asked for"]
    writes_values = statement.bulk is not None
    # What is inserted is chosen by nobody. What is looked for is: then the token says who may.
    behind = statement.sql.partition("WHERE")[2]
    shown = any(p.name == "token_hash" for p in statement.params) and ":token_hash" in behind
    if shown != (statement.header.access == "token"):
        which = "rows are chosen by token_hash" if shown else "no token_hash chooses the rows"
        return [f"access: {statement.header.access}, and {which}"]
    if needs and not asks:
        return [f"access: {statement.header.access}, and nobody asks: no actor_id"]
    if asks and not needs and not writes_values:
        return [f"access: {statement.header.access}, and actor_id is asked for"]
    nullable = asks and next(p for p in statement.params if p.name == "actor_id").type.nullable
    if statement.header.access == "actor" and nullable:
        return ["access: actor, and nobody may ask: actor_id is NULL"]
    return []


def _locks(statement: Statement) -> list[str]:
    """A SELECT that locks, also one of an INSERT, says so in the header, as the clause asks."""
    locks = statement.header.locks
    words = _words(significant(statement.sql))
    if statement.writes and not ("INSERT" in words and "SELECT" in words):
        return []
    pairs = set(pairwise(words))
    mode = "X" if ("FOR", "UPDATE") in pairs else "S" if ("LOCK", "IN") in pairs else None
    if (mode is None) != (locks == "none"):
        return [f"locks: {locks}, and {'no rows are' if mode is None else 'rows are'} locked"]
    said = {part.strip()[0] for part in re.split(r", (?=[SX][, ])", locks)}
    return [] if mode is None or said == {mode} else [f"locks: {locks}, and the lock is {mode}"]


def text_faults(statement: Statement) -> list[str]:
    """Every rule of the house that the text breaks."""
    found = significant(statement.sql)
    return [
        *_star(found),
        *_banned(found),
        *_row_constructor(found),
        *_as_always(statement.sql, found),
        *_many(statement),
        *_access(statement),
        *_locks(statement),
    ]


def _meaning(meaning: str, nullable: bool) -> str:
    """Without what NULL stands for, where NULL may be given."""
    return meaning.split("; NULL ")[0] if nullable else meaning


def meaning_faults(statements: Mapping[str, Statement]) -> list[str]:
    """Names that mean one thing here and another there."""
    first: dict[str, tuple[str, str]] = {}
    faults = []
    for name, statement in statements.items():
        for param in statement.params:
            meaning = _meaning(param.meaning, param.type.nullable)
            seen, seen_in = first.setdefault(param.name, (meaning, name))
            if seen != meaning:
                faults.append(f"{name}: {param.name}: {meaning!r}; in {seen_in}: {seen!r}")
    return faults
