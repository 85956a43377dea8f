"""What an export writes of a template is what an import makes the same template of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dal import NewTemplate, Template, TemplateVersion, Visibility
from dal.records.exported_templates import TemplateExport
from dal.records.new_templates import MAX_VERSION
from dal.records.templates import content_sha256
from dal.records.text import category_slug, fold, label_key, tag_key
from dal.records.variables import find_variables
from tests.made import record

OWNER = UUID("01900000-0000-7000-8000-000000000001")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.datetimes(
    datetime(1001, 1, 1),  # noqa: DTZ001
    datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
words = texts.filter(lambda text: 0 < len(fold(text)) <= 50)
labels = words.map(fold).filter(lambda key: key not in ("", "latest") and fold(key) == key)


@st.composite
def versions(draw: st.DrawFn, template_id: UUID) -> tuple[TemplateVersion, ...]:
    numbers = sorted(draw(st.sets(st.integers(1, MAX_VERSION), min_size=1, max_size=4)))
    return tuple(
        TemplateVersion(
            template_id=template_id,
            version=number,
            content=(content := draw(texts | st.just("{{a}} {{b=x}}"))),
            system_prompt=(prompt := draw(st.none() | texts)),
            variables=find_variables(content, prompt),
            content_sha256=content_sha256(content, prompt),
            message=draw(st.none() | texts),
            author_name=draw(st.none() | texts),
            created_by=OWNER,
            created_at=draw(times),
        )
        for number in numbers
    )


@st.composite
def exports(draw: st.DrawFn) -> TemplateExport:
    template_id = draw(st.uuids())
    history = draw(versions(template_id))
    head = history[-1]
    category = draw(st.none() | words.filter(lambda text: fold(text).strip("-_/ ") != ""))
    tags = {tag_key(tag): tag.strip() for tag in draw(st.lists(words, max_size=3))}
    said: dict[str, Any] = {
        "id": template_id,
        "owner_id": OWNER,
        "name": draw(texts),
        "description": draw(st.none() | texts),
        "author_name": draw(st.none() | texts),
        "category": None if category is None else category_slug(category),
        "tags": frozenset(tags.values()),
        "visibility": draw(st.sampled_from(Visibility)),
        "head_version": head.version,
        "last_version": (last := draw(st.integers(head.version, MAX_VERSION))),
        "use_count": 3,
        "trend": 4,
        "rating_sum": 5,
        "rating_count": 1,
        "forked_from_id": None,
        "forked_from_version": None,
        "content": head.content,
        "system_prompt": head.system_prompt,
        "variables": head.variables,
        "created_at": draw(times),
        "updated_at": draw(times),
        "deleted_at": None,
    }
    numbers = st.sampled_from([version.version for version in history])
    return TemplateExport(
        template=Template(**said),
        versions=history,
        labels=tuple(sorted(draw(st.dictionaries(labels, numbers, max_size=3)).items())),
        last_version=last,
    )


@given(exports())
def test_the_same_template_comes_back(export: TemplateExport) -> None:
    line = export.to_line()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert json.loads(line) == export.to_mapping()
    back = NewTemplate.from_mapping(json.loads(json.dumps(export.to_mapping())))
    template = export.template
    for field in (
        "id", "name", "description", "author_name", "visibility", "created_at", "content",
        "system_prompt", "head_version",
    ):  # fmt: skip
        assert getattr(back, field) == getattr(template, field)
    assert (back.category and category_slug(back.category)) == template.category
    assert {tag_key(tag) for tag in back.tags} == {tag_key(tag) for tag in template.tags}
    assert frozenset(back.tags) == template.tags
    assert (back.labels, back.last_version) == (export.labels, export.last_version)
    assert all(label_key(label) == label for label, _ in back.labels)
    for made, version in zip(back.versions, export.versions, strict=True):
        for field in (
            "version", "content", "system_prompt", "variables", "message", "author_name",
            "created_at",
        ):  # fmt: skip
            assert getattr(made, field) == getattr(version, field)


def test_a_line_is_compact_and_readable() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    version = record(TemplateVersion, version=2, content="é\u2028\n", message="m", created_at=at)
    template = record(
        Template, id=OWNER, name="n", author_name="Ann", category="two-words",
        tags=frozenset({"b", "a"}), visibility=Visibility.PUBLIC, created_at=at,
    )  # fmt: skip
    line = TemplateExport(template, (version,), (("prod", 2),), 3).to_line()
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert '"content":"é\u2028\\n"' in line, "as it is, but for what ends a line"
    said = json.loads(line)
    assert (
        said.items()
        >= {
            "id": str(OWNER),
            "name": "n",
            "description": None,
            "author_name": "Ann",
            "category": "two-words",
            "tags": ["a", "b"],
            "visibility": "public",
            "created_at": "2026-01-02T03:04:05.000006+00:00",
            "labels": {"prod": 2},
            "last_version": 3,
        }.items()
    )
    assert said["versions"] == [
        {
            "version": 2,
            "content": "é\u2028\n",
            "system_prompt": None,
            "message": "m",
            "author_name": None,
            "created_at": "2026-01-02T03:04:05.000006+00:00",
        }
    ]
