"""What `dal import` puts in: the kinds there are, and how rows become one of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, BinaryIO, Final, Literal, Protocol
from uuid import UUID

import attrs

from dal.cli.planning import Planned, plan
from dal.cli.reading import BadRow, Row, read_csv, read_json_lines
from dal.database import Session
from dal.errors import DalError, ParentMissingError, ValueRejectedError
from dal.records.ids import derived_id
from dal.records.imported_conversations import ImportedConversation
from dal.records.templates import Visibility
from dal.records.users import normalize_email

__all__ = ["Conversations", "Format", "Kind", "Templates"]

Format = Literal["jsonl", "csv"]


class Kind(Protocol):
    """What rows of a file become. ``fatal`` are errors that are of no one row, ``refusal`` is the
    reason where something else is there already.
    """

    @property
    def refusal(self) -> str:
        """Why a row cannot be put in whose place is taken."""

    @property
    def fatal(self) -> tuple[type[DalError], ...]:
        """What ends the import."""

    def planned(self, file: BinaryIO, on_note: Callable[[str], None]) -> Iterator[Planned | BadRow]:
        """Each row with the id that it will have, or a bad one with the reason."""

    async def taken(self, session: Session, ids: Sequence[UUID]) -> set[UUID]:
        """Which of the ids are there already."""

    async def create(self, session: Session, news: Sequence[Any]) -> None:
        """Put in all of them, or none."""


@attrs.frozen(kw_only=True)
class Templates:
    """Templates of one user, who is the session's."""

    owner_id: UUID
    format: Format = "jsonl"
    mapping: dict[str, str] | None = None
    visibility: Visibility = Visibility.PRIVATE
    refusal: str = attrs.field(default="id: that of a template of somebody else", init=False)
    fatal: tuple[type[DalError], ...] = attrs.field(default=(ParentMissingError,), init=False)

    def planned(self, file: BinaryIO, on_note: Callable[[str], None]) -> Iterator[Planned | BadRow]:
        """Each row with the id that it will have, or a bad one with the reason."""
        rows = (
            read_csv(file, self.mapping, tell=on_note)
            if self.format == "csv"
            else read_json_lines(file, self.mapping)
        )
        return plan(rows, self.owner_id, self.visibility)

    async def taken(self, session: Session, ids: Sequence[UUID]) -> set[UUID]:
        """Which of the ids are there already, and the owner's."""
        return await session.templates.exchange.list_taken_ids(ids)

    async def create(self, session: Session, news: Sequence[Any]) -> None:
        """Put in all of them, or none."""
        await session.templates.exchange.create_many(news)


_PEOPLE: Final = b"address"


@attrs.define(kw_only=True)
class Conversations:
    """Conversations of one user and of others whom a row names, by id or by address.

    The session is the system's: a row may hold words of several people. While a file is read an
    address stands for itself, as an id that is derived from it; whose it is is looked up when the
    row is put in. Where ``create_users`` is set, who has no account gets one, with that id and the
    name that the row gives, or the address.
    """

    owner_id: UUID
    create_users: bool = False
    refusal: str = attrs.field(default="id: that of a conversation of somebody else", init=False)
    fatal: tuple[type[DalError], ...] = attrs.field(default=(), init=False)
    _addresses: dict[UUID, tuple[str, str]] = attrs.field(factory=dict, init=False)
    _known: dict[UUID, UUID] = attrs.field(factory=dict, init=False)

    def planned(self, file: BinaryIO, on_note: Callable[[str], None]) -> Iterator[Planned | BadRow]:
        """Each row with the id that it will have, or a bad one with the reason."""
        # Whom an attempt created that was rolled back, as a strict import's may be, is not there.
        self._known.clear()
        seen: dict[bytes, int] = {}
        line_of_id: dict[UUID, int] = {}
        for row in read_json_lines(file, not_kept=()):
            if isinstance(row, BadRow):
                yield row
                continue
            try:
                new = self._new(row)
            except ValueRejectedError as error:
                yield BadRow(row.line, error.message)
                continue
            said = json.dumps(
                row.values, ensure_ascii=False, sort_keys=True, separators=(",", ":")
            ).encode("utf-8", "surrogatepass")
            if new.id is None:
                digest = blake2b(said, digest_size=16).digest()
                number = seen[digest] = seen.get(digest, -1) + 1
                made = derived_id(self.owner_id.bytes, said, str(number).encode())
                new = attrs.evolve(new, id=made)
            elif new.id in line_of_id:
                yield BadRow(row.line, f"id: that of line {line_of_id[new.id]} too")
                continue
            else:
                line_of_id[new.id] = row.line
            if new.id is not None:
                yield Planned(row.line, new.id, new, len(said))

    def _new(self, row: Row) -> ImportedConversation:
        """The row as a conversation, in which addresses are the ids that stand for them."""
        values = dict(row.values)
        names = values.pop("names", None) or {}
        if not isinstance(names, dict) or not all(isinstance(n, str) for n in names.values()):
            raise ValueRejectedError(
                "names: an object of addresses and names is required", field="names"
            )
        by_address = {normalize_email(address): name for address, name in names.items()}

        def person(value: Any) -> Any:
            if not isinstance(value, str) or "@" not in value:
                return value
            address = normalize_email(value)
            stands_for = derived_id(_PEOPLE, address.encode())
            self._addresses[stands_for] = (address, by_address.get(address, address))
            return str(stands_for)

        values["owner_id"] = person(values.get("owner_id"))
        people = values.get("participants")
        if isinstance(people, dict):
            values["participants"] = {person(who): role for who, role in people.items()}
        prompts = values.get("prompts")
        if isinstance(prompts, list):
            values["prompts"] = [
                {**prompt, "author_id": person(prompt.get("author_id"))}
                if isinstance(prompt, dict)
                else prompt
                for prompt in prompts
            ]
        new = ImportedConversation.from_mapping(values)
        new.people(new.owner_id or self.owner_id)
        return new

    async def taken(self, session: Session, ids: Sequence[UUID]) -> set[UUID]:
        """Which of the ids are there already, whosever they are: a row may name its owner."""
        return await session.conversations.exchange.list_taken_ids(ids)

    async def create(self, session: Session, news: Sequence[Any]) -> None:
        """Put in all of them, or none."""
        resolved = [await self._resolved(session, new) for new in news]
        await session.conversations.exchange.create_many(resolved, owner_id=self.owner_id)

    async def _resolved(self, session: Session, new: ImportedConversation) -> ImportedConversation:
        people = new.people(new.owner_id or self.owner_id)
        ids = {who: await self._id_of(session, who) for who in people}
        if all(who == found for who, found in ids.items()):
            return new
        return attrs.evolve(
            new,
            owner_id=new.owner_id and ids[new.owner_id],
            participants={ids[who]: role for who, role in new.participants},
            prompts=[
                attrs.evolve(prompt, author_id=prompt.author_id and ids[prompt.author_id])
                for prompt in new.prompts
            ],
        )

    async def _id_of(self, session: Session, who: UUID) -> UUID:
        """Whose address an id stands for; other ids are themselves."""
        if who not in self._addresses:
            return who
        if who not in self._known:
            address, name = self._addresses[who]
            user = await session.users.find_by_email(address)
            if user is None and not self.create_users:
                raise ValueRejectedError(
                    f"participants: no user has the address {address};"
                    " --create-users creates accounts",
                    field="participants",
                )
            if user is None:
                user = await session.users.create(email=address, full_name=name, id=who)
            self._known[who] = user.id
        return self._known[who]
