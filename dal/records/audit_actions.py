"""What each action is: its category, and how much it matters when it succeeds.

An action that is not here cannot be written by a repository; a test holds that none is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dal.errors import UsageError
from dal.records.audit import AuditCategory, AuditSeverity, Outcome

__all__ = ["ACTIONS", "CREATIONS", "DELETIONS", "RESTORATIONS", "classified"]

_AUTHENTICATION: Final = AuditCategory.AUTHENTICATION
_ACCESS: Final = AuditCategory.ACCESS
_DATA: Final = AuditCategory.DATA
_DISCLOSURE: Final = AuditCategory.DISCLOSURE
_MAINTENANCE: Final = AuditCategory.MAINTENANCE
_LOW, _MEDIUM, _HIGH, _CRITICAL = AuditSeverity

_Class = tuple[AuditCategory, AuditSeverity]


def _all(of: str, kind: _Class, *verbs: str) -> dict[str, _Class]:
    return {f"{of}.{verb}": kind for verb in verbs}


ACTIONS: Final[Mapping[str, _Class]] = {
    **_all("user", (_AUTHENTICATION, _LOW), "authenticate", "verify_email"),
    **_all("user", (_AUTHENTICATION, _LOW), "issue_email_verification"),
    **_all(
        "user",
        (_AUTHENTICATION, _MEDIUM),
        "update_password",
        "issue_password_reset",
        "reset_password",
        "unlock",
    ),
    **_all("user", (_ACCESS, _MEDIUM), "create", "activate", "deactivate", "restore"),
    **_all("user", (_ACCESS, _HIGH), "change_role", "soft_delete", "transfer"),
    **_all("user", (_ACCESS, _CRITICAL), "delete_account"),
    **_all("user", (_DISCLOSURE, _HIGH), "export_data"),
    **_all("user", (_DATA, _MEDIUM), "update_details"),
    **_all("user", (_DATA, _LOW), "update_preferences", "unset_preference", "reset_preferences"),
    **_all(
        "template",
        (_DATA, _LOW),
        "create",
        "create_many",
        "update_details",
        "commit",
        "rollback",
        "fork",
        "set_label",
        "remove_label",
        "rate",
        "remove_rating",
        "record_use",
        "restore",
    ),
    **_all("template", (_DATA, _MEDIUM), "delete_version", "soft_delete", "purge"),
    **_all("template", (_MAINTENANCE, _MEDIUM), "purge_deleted"),
    **_all("template", (_MAINTENANCE, _LOW), "refresh_search_statistics"),
    **_all("template", (_DISCLOSURE, _MEDIUM), "export"),
    **_all("category", (_DATA, _LOW), "rename", "merge"),
    **_all(
        "conversation",
        (_DATA, _LOW),
        "create",
        "create_many",
        "update_details",
        "change_status",
        "archive",
        "archive_all",
        "unarchive",
        "restore",
        "fork",
        "mark_read",
        "set_pinned",
    ),
    **_all("conversation", (_DATA, _MEDIUM), "soft_delete", "purge"),
    **_all(
        "conversation",
        (_ACCESS, _MEDIUM),
        "add_participant",
        "change_role",
        "remove_participant",
        "transfer",
        "create_share",
        "extend_share",
    ),
    **_all(
        "conversation",
        (_ACCESS, _LOW),
        "leave",
        "revoke_share",
        "revoke_shares",
        "revoke_own_shares",
    ),
    **_all("conversation", (_DISCLOSURE, _LOW), "open_share"),
    **_all("conversation", (_DISCLOSURE, _MEDIUM), "export"),
    **_all("conversation", (_MAINTENANCE, _LOW), "archive_idle", "purge_shares", "recompute"),
    **_all("conversation", (_MAINTENANCE, _MEDIUM), "purge_deleted"),
    **_all(
        "prompt",
        (_DATA, _LOW),
        "append_partial",
        "cancel",
        "claim",
        "clear_rating",
        "complete",
        "create",
        "create_variation",
        "fail",
        "heartbeat",
        "rate",
        "release",
        "reparent",
        "restore",
        "restore_subtree",
        "retry",
        "select_variation",
        "set_active",
        "start",
    ),
    **_all("prompt", (_DATA, _MEDIUM), "soft_delete", "soft_delete_after", "soft_delete_subtree"),
    **_all("prompt", (_MAINTENANCE, _LOW), "requeue_expired"),
    **_all("model_price", (_DATA, _MEDIUM), "create"),
    **_all("usage", (_MAINTENANCE, _MEDIUM), "rebuild_day", "recalculate"),
    **_all("audit", (_DISCLOSURE, _HIGH), "export"),
    **_all("audit", (_MAINTENANCE, _HIGH), "import"),
    **_all("audit", (_ACCESS, _HIGH), "place_hold", "release_hold"),
}

CREATIONS: Final = frozenset({"create", "create_many", "fork", "create_variation"})
"""Verbs after which an entity is there that was not there before."""

DELETIONS: Final = frozenset({"soft_delete", "soft_delete_subtree", "purge"})
"""Verbs after which it is not to be seen, or gone."""

RESTORATIONS: Final = frozenset({"restore", "restore_subtree"})
"""Verbs after which it is back."""


def classified(action: str, outcome: Outcome) -> _Class:
    """Category and severity of an entry. A denied attempt is of medium severity at least, of high
    severity where it was about who may do what; a failed one of medium severity.

    Raises:
        UsageError: there is no such action.
    """
    kind = ACTIONS.get(action)
    if kind is None:
        raise UsageError(f"no such action: {action}")
    category, severity = kind
    if outcome is Outcome.SUCCESS:
        return kind
    is_grave = outcome is Outcome.DENIED and category in (_ACCESS, _AUTHENTICATION)
    least = _HIGH if is_grave else _MEDIUM
    return category, max(severity, least, key=tuple(AuditSeverity).index)
