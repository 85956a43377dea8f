"""New templates as rows of their tables, and rows as the templates that were made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from dal.errors import ParentMissingError
from dal.records.ids import new_id
from dal.records.keep import Keep
from dal.records.new_templates import DETAILS, TEXTS, NewTemplate, checked_texts
from dal.records.templates import Template, TemplateVersion, content_sha256
from dal.records.text import category_slug, tag_key
from dal.records.variables import variables_json
from dal.records.vocabulary import Category, Tag

__all__ = [
    "checked_details",
    "facts",
    "label_rows",
    "links",
    "made",
    "move_rows",
    "no_owner",
    "template_row",
    "version_row",
    "version_rows",
]


def template_row(
    new: NewTemplate,
    owner_id: UUID,
    categories: Mapping[str, Category],
    now: datetime,
    forked_from: TemplateVersion | None = None,
) -> dict[str, Any]:
    """The parameters of templates/insert."""
    category = None if new.category is None else categories[category_slug(new.category)]
    return {
        "template_id": new.id or new_id(now),
        "owner_id": owner_id,
        "category_id": None if category is None else category.id,
        **{field: getattr(new, field) for field in DETAILS},
        "version": new.head_version,
        "last_version": new.last_version,
        "forked_from_id": None if forked_from is None else forked_from.template_id,
        "forked_from_version": None if forked_from is None else forked_from.version,
        "created_at": new.created_at or now,
        "now": max(now, new.created_at or now),
    }


def version_row(version: TemplateVersion) -> dict[str, object]:
    """The parameters of template_versions/insert_many."""
    return {
        **attrs.asdict(version, recurse=False),
        "variables": variables_json(version.variables),
    }


def version_rows(new: NewTemplate, template: Template) -> Iterator[dict[str, object]]:
    """The parameters of template_versions/insert_many, for each version of a new template."""
    for version in new.versions:
        yield {
            "template_id": template.id,
            "version": version.version,
            "content": version.content,
            "system_prompt": version.system_prompt,
            "variables": variables_json(version.variables),
            "content_sha256": content_sha256(version.content, version.system_prompt),
            "message": version.message,
            "author_name": version.author_name,
            "created_by": template.owner_id,
            "created_at": version.created_at or template.created_at,
        }


def label_rows(new: NewTemplate, template: Template, now: datetime) -> Iterator[dict[str, Any]]:
    """The parameters of template_labels/insert_many."""
    for label, version in new.labels:
        yield {
            "template_id": template.id,
            "label": label,
            "version": version,
            "moved_by": template.owner_id,
            "moved_at": now,
        }


def move_rows(labels: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[dict[str, object]]:
    """The parameters of template_label_moves/insert_many, for labels that were on nothing."""
    for label in labels:
        yield {
            "move_id": new_id(now),
            "template_id": label["template_id"],
            "label": label["label"],
            "from_version": None,
            "to_version": label["version"],
            "moved_by": label["moved_by"],
            "moved_at": now,
        }


def links(
    new: NewTemplate, template_id: UUID, words: Mapping[str, Tag], now: datetime
) -> Iterator[dict[str, object]]:
    """The parameters of template_tags/insert_many."""
    for name in new.tags:
        yield {"template_id": template_id, "tag_id": words[tag_key(name)].id, "now": now}


def made(
    new: NewTemplate,
    row: Mapping[str, Any],
    categories: Mapping[str, Category],
    words: Mapping[str, Tag],
) -> Template:
    """The template as a read would give it."""
    return Template(
        id=row["template_id"],
        owner_id=row["owner_id"],
        **{field: getattr(new, field) for field in DETAILS},
        category=None if new.category is None else categories[category_slug(new.category)].slug,
        tags=frozenset(words[tag_key(name)].name for name in new.tags),
        head_version=new.head_version,
        last_version=new.last_version,
        use_count=0,
        trend=0,
        rating_sum=0,
        rating_count=0,
        forked_from_id=row["forked_from_id"],
        forked_from_version=row["forked_from_version"],
        content=new.content,
        system_prompt=new.system_prompt,
        variables=new.versions[-1].variables,
        created_at=row["created_at"],
        updated_at=row["now"],
        deleted_at=None,
    )


def facts(template: Template) -> dict[str, object]:
    """What the audit log tells of a new template."""
    left_out = {"id", "created_at", "updated_at", "deleted_at", "head_version", "last_version"}
    left_out |= {"use_count", "trend", "rating_sum", "rating_count", "variables"}
    return {
        field.name: getattr(template, field.name)
        for field in attrs.fields(Template)
        if field.name not in left_out
    }


def no_owner() -> ParentMissingError:
    """For 0 rows of a guarded insert, or a lock that found nobody."""
    return ParentMissingError("the owner is not there, or deleted", constraint="fk_templates_owner")


def checked_details(**fields: object) -> dict[str, Any]:
    """The fields that are given, each checked as in a new template.

    Raises:
        ValueRejectedError: one cannot be stored; ``field`` names it.
    """
    given = {field: value for field, value in fields.items() if not isinstance(value, Keep)}
    texts = {field: value for field, value in given.items() if field in TEXTS}
    checked_texts(**texts)
    # The converters of NewTemplate say what these may be.
    others: dict[str, Any] = {f: v for f, v in given.items() if f not in texts}
    checked = NewTemplate(name="-", content="", **others)
    return {**texts, **{field: getattr(checked, field) for field in others}}
