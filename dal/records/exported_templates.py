"""Templates with their whole history, as an export writes them and an import takes them."""

from __future__ import annotations

import json

import attrs

from dal.records.new_templates import DETAILS
from dal.records.templates import Template, TemplateVersion

__all__ = ["TemplateExport"]


@attrs.frozen(slots=True)
class TemplateExport:
    """A template, all its versions oldest first, and which of them the labels are on.

    ``last_version`` is the highest number that a version ever had: the newest may be deleted.
    """

    template: Template
    versions: tuple[TemplateVersion, ...]
    labels: tuple[tuple[str, int], ...]
    last_version: int

    def to_mapping(self) -> dict[str, object]:
        """What ``NewTemplate.from_mapping`` makes the same template of, in plain JSON values.

        Not in it: the owner, uses and ratings, the fork's origin, and the times of changes.

        Raises:
            Nothing.
        """
        template = self.template
        return {
            "id": str(template.id),
            **{field: getattr(template, field) for field in DETAILS},
            "category": template.category,
            "tags": sorted(template.tags),
            "created_at": template.created_at.isoformat(),
            "versions": [_version(version) for version in self.versions],
            "labels": dict(self.labels),
            "last_version": self.last_version,
        }

    def to_line(self) -> str:
        """The mapping as one line of JSON, with its end.

        Raises:
            Nothing.
        """
        return json.dumps(self.to_mapping(), ensure_ascii=False, separators=(",", ":")) + "\n"


def _version(version: TemplateVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "content": version.content,
        "system_prompt": version.system_prompt,
        "message": version.message,
        "author_name": version.author_name,
        "created_at": version.created_at.isoformat(),
    }
