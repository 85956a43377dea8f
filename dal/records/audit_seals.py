"""Seals over audit entries: what is hashed, and what a verification says.

The hash of an entry is SHA-256 of its canonical text: all its columns, in a fixed order, as a JSON
array; ``changes`` as the text that is stored. The hash of a seal is over its own columns, the hash
of the seal before, and the id and the hash of each of its entries in the order of their ids. So a
seal stands for all that was sealed up to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.actor import ActorType
from dal.records.audit import AuditCategory, AuditSeverity, Outcome

__all__ = [
    "GENESIS",
    "MAX_SEALED",
    "AuditAnchor",
    "AuditBreak",
    "AuditCheckpoint",
    "AuditSeal",
    "AuditVerification",
    "BreakKind",
    "SealedEntry",
    "Sealing",
    "StoredAuditEntry",
    "UnsealedEntry",
    "bits_of",
    "checkpoint_sha256",
    "entry_sha256",
    "seal_sha256",
    "with_bits",
]

GENESIS: Final = bytes(32)
"""What stands for the hash before the first one."""

MAX_SEALED: Final = 10_000
"""The most entries of one seal: what ``audit_checkpoints.gone`` has bits for."""


@attrs.frozen(slots=True)
class StoredAuditEntry:
    """An entry as it is stored: ``changes`` is the JSON text, and not what it says."""

    id: UUID
    occurred_at: datetime
    actor_type: ActorType
    actor_id: UUID | None
    actor_name: str | None
    action: str
    target_type: str
    target_id: UUID | None
    outcome: Outcome
    affected: int
    changes: str
    request_id: str | None
    ip: str | None
    user_agent: str | None
    category: AuditCategory
    severity: AuditSeverity


@attrs.frozen(slots=True)
class AuditSeal:
    """A seal. ``since``: entries from that time on were looked for when it was made."""

    number: int
    sealed_at: datetime
    since: datetime
    entry_count: int
    first_at: datetime
    last_at: datetime
    previous_sha256: bytes
    sha256: bytes


@attrs.frozen(slots=True)
class SealedEntry:
    """That an entry is of a seal, and its hash."""

    seal_number: int
    audit_id: UUID
    sha256: bytes


@attrs.frozen(slots=True)
class UnsealedEntry:
    """An entry that has no seal."""

    id: UUID
    occurred_at: datetime


@attrs.frozen(slots=True)
class AuditCheckpoint:
    """What retention removed from a seal. ``gone`` has a bit for each entry of it, in the order of
    their ids: also what earlier checkpoints removed.
    """

    number: int
    purged_at: datetime
    purged_by: str
    policy: str
    seal_number: int
    entry_count: int
    gone: bytes
    archive_sha256: bytes | None
    previous_sha256: bytes
    sha256: bytes


@attrs.frozen(slots=True)
class Sealing:
    """What one run of the sealer did. ``is_overtaken``: another one was at work, and goes on."""

    seals: int
    entries: int
    is_overtaken: bool


class BreakKind(StrEnum):
    """What is wrong with the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    SEAL = "seal"
    CHECKPOINT = "checkpoint"
    CUT_OFF = "cut off"
    ANCHOR = "anchor"


@attrs.frozen(slots=True)
class AuditBreak:
    """The first thing that is wrong: an entry, where one can be named, or a seal."""

    kind: BreakKind
    message: str
    seal_number: int | None = None
    audit_id: UUID | None = None


@attrs.frozen(slots=True)
class AuditAnchor:
    """The head of the log, to be kept where who can change the log cannot.

    Numbers and hashes of the newest seal and checkpoint; 0 and zeros where there is none yet.
    """

    at: datetime
    seal: int
    seal_sha256: str
    checkpoint: int
    checkpoint_sha256: str

    def to_json(self) -> str:
        """One line of JSON."""
        values = attrs.asdict(self)
        return json.dumps({**values, "at": self.at.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> AuditAnchor:
        """What :meth:`to_json` wrote.

        Raises:
            ValueRejectedError: it is something else; the field is ``anchor``.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            anchor = cls(**{**values, "at": datetime.fromisoformat(values["at"])})
            hashes = (anchor.seal_sha256, anchor.checkpoint_sha256)
            fits = all(len(bytes.fromhex(one)) == 32 for one in hashes)
            fits &= all(type(n) is int and n >= 0 for n in (anchor.seal, anchor.checkpoint))
        except (ValueError, TypeError, KeyError):
            fits = False
        if not fits:
            raise ValueRejectedError("anchor: not what dal audit anchor prints", field="anchor")
        return anchor


@attrs.frozen(slots=True, kw_only=True)
class AuditVerification:
    """What a verification found.

    ``entries`` were compared with their seals; ``purged`` are gone by checkpoints; ``unsealed``
    have no seal yet: nobody could tell whether they were changed, or removed. Whether the newest
    seals were cut off is seen by an anchor alone: ``is_anchored`` says that there was one.
    """

    seals: int
    entries: int
    purged: int
    unsealed: int
    checkpoints: int
    is_anchored: bool
    broken: AuditBreak | None

    @property
    def is_ok(self) -> bool:
        """Nothing is wrong as far as can be seen."""
        return self.broken is None


def _time(at: datetime) -> str:
    # With all six digits, which isoformat leaves out where they are zero.
    return at.isoformat(timespec="microseconds")


def _text(*values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def entry_sha256(entry: StoredAuditEntry) -> bytes:
    """The hash of an entry."""
    actor_id, target_id = entry.actor_id, entry.target_id
    return sha256(
        _text(
            "dal-audit-entry-1",
            entry.id.hex,
            _time(entry.occurred_at),
            entry.actor_type,
            None if actor_id is None else actor_id.hex,
            entry.actor_name,
            entry.action,
            entry.target_type,
            None if target_id is None else target_id.hex,
            entry.outcome,
            entry.affected,
            entry.changes,
            entry.request_id,
            entry.ip,
            entry.user_agent,
            entry.category,
            entry.severity,
        )
    ).digest()


def seal_sha256(seal: AuditSeal, entries: Iterable[tuple[UUID, bytes]]) -> bytes:
    """The hash that a seal must have: over what it says, and its entries in the order of ids."""
    digest = sha256(
        _text(
            "dal-audit-seal-1",
            seal.number,
            _time(seal.sealed_at),
            _time(seal.since),
            seal.entry_count,
            _time(seal.first_at),
            _time(seal.last_at),
            seal.previous_sha256.hex(),
        )
    )
    for audit_id, entry in entries:
        digest.update(audit_id.bytes + entry)
    return digest.digest()


def checkpoint_sha256(checkpoint: AuditCheckpoint) -> bytes:
    """The hash that a checkpoint must have, over what it says; its own is not read."""
    archive = checkpoint.archive_sha256
    return sha256(
        _text(
            "dal-audit-checkpoint-1",
            checkpoint.number,
            _time(checkpoint.purged_at),
            checkpoint.purged_by,
            checkpoint.policy,
            checkpoint.seal_number,
            checkpoint.entry_count,
            checkpoint.gone.hex(),
            None if archive is None else archive.hex(),
            checkpoint.previous_sha256.hex(),
        )
    ).digest()


def bits_of(gone: bytes, n: int) -> list[bool]:
    """Whether each of ``n`` entries is gone."""
    return [bool(gone[i // 8] >> i % 8 & 1) if i // 8 < len(gone) else False for i in range(n)]


def with_bits(bits: Iterable[bool]) -> bytes:
    """The bytes of which :func:`bits_of` makes ``bits``."""
    all_bits = list(bits)
    made = bytearray(-(-len(all_bits) // 8))
    for i, is_gone in enumerate(all_bits):
        made[i // 8] |= is_gone << i % 8
    return bytes(made)
