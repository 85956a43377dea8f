"""Templates, all that hangs on them, and what the search knows of their words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from dal.records.templates import content_sha256
from dal.records.variables import find_variables, variables_json
from dal.search.postings import PUBLIC_SCOPE, impacts
from dal.search.templates import TEMPLATES
from tests.fill.sizes import (
    OWNER,
    START,
    Row,
    Tables,
    n_templates,
    n_users,
    row_id,
)
from tests.fill.users import user_deleted_at, user_id
from tests.fill.vocabulary import N_CATEGORIES, N_TAGS, category_id, tag_id

__all__ = [
    "CORPUS",
    "WORD",
    "head_version",
    "is_public",
    "label_moves",
    "label_moves_id",
    "last_version",
    "owner_of",
    "postings",
    "rating_numbers",
    "rating_updated_at",
    "ratings",
    "template_category",
    "template_created_at",
    "template_deleted_at",
    "template_id",
    "template_labels",
    "template_prompts",
    "template_tags",
    "template_texts",
    "template_trend",
    "template_uses",
    "template_versions",
]

CORPUS: Final = "templates"
"""What the counts of words of templates are kept under."""

WORD: Final = "harbour"
"""A word of the name of every ninth template."""

_A_DELETED_USER: Final = 3


def template_id(n: int) -> UUID:
    """The id of template ``n``."""
    return row_id(4, n)


def owner_of(n: int, factor: int) -> int:
    """The number of the owner of template ``n``: OWNER's are the multiples of ten."""
    return OWNER if n % 10 == 0 else 2 + n * 7 % (n_users(factor) - 2)


def is_public(n: int) -> bool:
    """Every third template is public."""
    return n % 3 == 0


def head_version(n: int) -> int:
    """The number of the newest version of template ``n``."""
    return 1 + n // 10 % 4


def last_version(n: int) -> int:
    """The highest number given: of every fourth template the newest version was deleted."""
    return head_version(n) + (n % 4 == 0)


def template_versions(n: int) -> range:
    """The numbers of the versions of template ``n``: of every fourth the first one was deleted."""
    return range(1 + (n % 4 == 3 and head_version(n) > 1), head_version(n) + 1)


def template_uses(n: int) -> int:
    """How often template ``n`` was used: a seventh never, others as often as some other."""
    return 0 if n % 7 == 3 else 1 + n * 37 % 90


def template_trend(n: int) -> int:
    """The trend of template ``n``; by NOW it would be 327 * 10^9 after one use, most have more."""
    return (320 * 10**9 + n * 7919 % 97 * 137_000_001) * (template_uses(n) > 0)


def template_prompts(n: int, version: int) -> tuple[str, str | None]:
    """Content and system prompt of a version."""
    content = f"Version {version} of template {n}: " + "{{text}} " * 10
    return content, None if n % 2 else "Be brief, in {{language=English}}."


def ratings(n: int, factor: int) -> dict[int, int]:
    """What users, by their numbers, gave template ``n``, in the order of time.

    None to four of them; OWNER and a deleted user rated half of OWNER's templates, OWNER one of
    sixty others, and one of a hundred templates has thirty more. STRANGER rated nothing.
    """
    raters = n_users(factor) - 2
    given = dict.fromkeys((OWNER, _A_DELETED_USER) if n % 20 == 0 else ())
    given |= dict.fromkeys((OWNER,) if n % 60 == 21 else ())
    given |= dict.fromkeys(2 + (n * 7 + k * 3) % raters for k in range(30 * (n % 100 == 20)))
    given |= dict.fromkeys(2 + (n * 7 + k * 3) % raters for k in range((n + 3) % 5))
    return {user: 1 + (n // 20 + n * 3 + user) % (5 if n % 8 else 2) for user in given}


def rating_updated_at(n: int, k: int) -> datetime:
    """When rating ``k`` of template ``n`` was last changed: the same time for two in a row."""
    return template_created_at(n) + timedelta(days=1 + k // 2 % 3, hours=k // 2)


def rating_numbers(n: int, factor: int) -> tuple[int, int]:
    """Sum and number of the ratings of live users."""
    of_live = [rating for u, rating in ratings(n, factor).items() if user_deleted_at(u) is None]
    return sum(of_live), len(of_live)


def template_labels(n: int) -> dict[str, int]:
    """The labels of template ``n`` and the versions they are on: many have none.

    One of a hundred templates has so many that they fill a page.
    """
    if n % 4 == 3 or n % 20 == 10:
        return {}
    head = head_version(n)
    labels = {"production": max(1, head - 1)}
    if head > 2:
        labels["staging"] = 1
    if n % 100 == 60:
        labels |= {f"release-{k:02}": 1 + k % head for k in range(24)}
    return labels


def label_moves(n: int) -> list[tuple[str, int | None, int | None, datetime]]:
    """How the labels of template ``n`` came where they are: the label, from, to, when.

    Two are at the same time; of one of a hundred templates a label was moved many times, and
    taken off.
    """
    at = template_created_at(n)
    moves: list[tuple[str, int | None, int | None, datetime]] = []
    for label, version in template_labels(n).items():
        if version > 1:
            moves.append((label, None, 1, at + timedelta(hours=1)))
        moves.append((label, 1 if version > 1 else None, version, at + timedelta(hours=2)))
    if n % 100 == 20:
        on = [None, *(1 + k % head_version(n) for k in range(24)), None]
        for k, (before, after) in enumerate(pairwise(on)):
            moves.append(("canary", before, after, at + timedelta(hours=3 + k // 2)))
    return moves


def label_moves_id(n: int, k: int) -> UUID:
    """The id of move ``k`` of the labels of template ``n``."""
    return row_id(6, n * 64 + k)


def postings(factor: int) -> Iterator[tuple[int, dict[int, int]]]:
    """Each template that is not deleted, by its number, with its terms and their impacts."""
    for n in range(n_templates(factor)):
        if template_deleted_at(n) is None:
            name, description, author_name = template_texts(n)
            tags = sorted(f"Tag{tag}" for tag in template_tags(n, factor))
            content = template_prompts(n, head_version(n))[0]
            texts = (*tags, author_name, description, content)
            yield n, impacts(name, texts, pivot_terms=TEMPLATES.pivot_terms)


def template_created_at(n: int) -> datetime:
    """The same time for twenty in a row, so that two of OWNER tie."""
    return START + timedelta(minutes=n // 20)


def template_deleted_at(n: int) -> datetime | None:
    """A quarter of OWNER's templates, two at a time, and an eleventh of the others."""
    is_deleted = n // 20 % 4 == 2 if n % 10 == 0 else n % 11 == 4
    return START + timedelta(days=40, minutes=n // 100) if is_deleted else None


def template_texts(n: int) -> tuple[str, str | None, str | None]:
    """Name, description and credited author of template ``n``."""
    return (
        f"Template {n}" + f" of the {WORD}" * (n % 9 == 0),
        None if n % 5 == 1 else f"What template {n} is for",
        None if n % 4 == 1 else f"Author {n % 30}",
    )


def template_category(n: int) -> int | None:
    """The number of the category of template ``n``."""
    return None if n % 7 == 2 else (n * 3 + n // 10) % N_CATEGORIES


def template_tags(n: int, factor: int) -> list[int]:
    """The numbers of the tags of template ``n``: up to two, and one that only the deleted carry.

    Of the last three tags one is carried by deleted templates alone, one by templates of deleted
    users alone, and one by private templates of OWNER alone.
    """
    usual, of_deleted, of_orphans, of_owner = N_TAGS - 3, N_TAGS - 3, N_TAGS - 2, N_TAGS - 1
    tags = set() if n % 13 == 6 else {n % usual, (n * 3 + 17) % usual}
    if template_deleted_at(n) is not None:
        tags.add(of_deleted)
    elif user_deleted_at(owner_of(n, factor)) is not None:
        tags.add(of_orphans)
    elif n % 100 == 10 and not is_public(n):
        tags.add(of_owner)
    return sorted(tags)


def _templates(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        created_at, deleted_at = template_created_at(n), template_deleted_at(n)
        category = template_category(n)
        yield {
            "id": template_id(n),
            "owner_id": user_id(owner_of(n, factor)),
            "category_id": None if category is None else category_id(category),
            "name": template_texts(n)[0],
            "description": template_texts(n)[1],
            "author_name": template_texts(n)[2],
            "visibility": "public" if is_public(n) else "private",
            "head_version": head_version(n),
            "last_version": last_version(n),
            "use_count": template_uses(n),
            "trend": template_trend(n),
            "rating_sum": rating_numbers(n, factor)[0],
            "rating_count": rating_numbers(n, factor)[1],
            "forked_from_id": template_id(n - 3) if n % 17 == 3 else None,
            "forked_from_version": 1 if n % 17 == 3 else None,
            "created_at": created_at,
            "updated_at": deleted_at or created_at,
            "deleted_at": deleted_at,
        }


def _template_versions(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for version in template_versions(n):
            content, prompt = template_prompts(n, version)
            yield {
                "template_id": template_id(n),
                "version": version,
                "content": content,
                "system_prompt": prompt,
                "variables": json.dumps(variables_json(find_variables(content, prompt))),
                "content_sha256": content_sha256(content, prompt),
                "message": None if version == 1 else f"change {version}",
                "author_name": template_texts(n)[2],
                "created_by": user_id(owner_of(n, factor)),
                "created_at": template_created_at(n) + timedelta(seconds=version),
            }


def _template_labels(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for label, version in template_labels(n).items():
            at = template_created_at(n) + timedelta(hours=2)
            yield {
                "template_id": template_id(n),
                "label": label,
                "version": version,
                "moved_by": user_id(owner_of(n, factor)),
                "moved_at": at,
            }


def _template_label_moves(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for k, (label, before, after, at) in enumerate(label_moves(n)):
            moved_by = user_id(owner_of(n, factor))
            yield {
                "id": label_moves_id(n, k),
                "template_id": template_id(n),
                "label": label,
                "from_version": before,
                "to_version": after,
                "moved_by": moved_by,
                "moved_at": at,
            }


def _template_ratings(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for k, (user, rating) in enumerate(ratings(n, factor).items()):
            created_at = template_created_at(n) + timedelta(days=1, hours=k // 2)
            updated_at = rating_updated_at(n, k)
            why = None if k % 3 else f"What user {user} thinks of template {n}"
            yield {
                "template_id": template_id(n),
                "user_id": user_id(user),
                "rating": rating,
                "feedback": why,
                "created_at": created_at,
                "updated_at": updated_at,
            }


def _template_postings(factor: int) -> Iterator[Row]:
    for n, found in postings(factor):
        scope = PUBLIC_SCOPE if is_public(n) else user_id(owner_of(n, factor))
        for term, impact in sorted(found.items()):
            yield {"term": term, "scope": scope, "impact": impact, "template_id": template_id(n)}


def _search_terms(factor: int) -> Iterator[Row]:
    """In how many texts each word was, before the newest tenth of the templates came."""
    counts = Counter(term for _, found in _counted(factor) for term in found)
    for term, documents in sorted(counts.items()):
        yield {"corpus": CORPUS, "term": term, "documents": documents}


def _search_corpora(factor: int) -> Iterator[Row]:
    yield {"corpus": CORPUS, "documents": len(list(_counted(factor))), "updated_at": START}


def _counted(factor: int) -> Iterator[tuple[int, dict[int, int]]]:
    oldest = n_templates(factor) * 9 // 10
    for n, found in postings(factor):
        is_live = user_deleted_at(owner_of(n, factor)) is None
        if n < oldest and is_public(n) and is_live:
            yield n, found


def _template_tags(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for tag in template_tags(n, factor):
            yield {
                "template_id": template_id(n),
                "tag_id": tag_id(tag),
                "created_at": template_created_at(n),
            }


TABLES: Final[Tables] = {
    "templates": _templates,
    "template_versions": _template_versions,
    "template_labels": _template_labels,
    "template_label_moves": _template_label_moves,
    "template_ratings": _template_ratings,
    "template_postings": _template_postings,
    "search_terms": _search_terms,
    "search_corpora": _search_corpora,
    "template_tags": _template_tags,
}
