"""Opening a database, and the session of an actor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs

from dal.config import Config, PrivateAddress, parse
from dal.errors import UsageError
from dal.records.actor import Actor
from dal.records.clock import Clock, SystemClock
from dal.repositories import (
    AuditLogRepository,
    CategoryRepository,
    ConversationRepository,
    PromptRepository,
    TagRepository,
    TemplateRepository,
    UserRepository,
)
from dal.session import Core, OnStatement, Scope
from dal.session.pool import Pool

__all__ = ["Database", "Session", "connect"]


class Session(Scope):
    """What one actor sees and may do: the repositories, the verbs for your own statements, and how
    transactions are begun.

    ``begin()`` and ``run()`` give a Session too, bound to the transaction: use that one inside.
    """

    @property
    def users(self) -> UserRepository:
        """Users."""
        return UserRepository(self)

    @property
    def templates(self) -> TemplateRepository:
        """Templates, their versions, labels and ratings."""
        return TemplateRepository(self)

    @property
    def conversations(self) -> ConversationRepository:
        """Conversations and who takes part in them."""
        return ConversationRepository(self)

    @property
    def prompts(self) -> PromptRepository:
        """Prompts of conversations."""
        return PromptRepository(self)

    @property
    def categories(self) -> CategoryRepository:
        """What templates are filed under."""
        return CategoryRepository(self)

    @property
    def tags(self) -> TagRepository:
        """What templates are tagged with."""
        return TagRepository(self)

    @property
    def audit(self) -> AuditLogRepository:
        """Who changed what."""
        return AuditLogRepository(self)


class Database:
    """An open pool. Use it in the event loop that opened it, from as many tasks as you like."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<Database {self._core.engine} at {self._core.config.where}>"

    @property
    def engine(self) -> str:
        """``mariadb`` or ``mysql``."""
        return self._core.engine

    @property
    def version(self) -> tuple[int, int, int]:
        """The server's version."""
        return self._core.version

    @property
    def config(self) -> Config:
        """Where it is connected to, and its limits; the password is not shown."""
        return self._core.config

    @property
    def pool(self) -> Pool:
        """The pool, for its numbers: size, freesize, n_waiting."""
        return self._core.pool

    def acting_as(self, actor: Actor) -> Session:
        """The session of an actor. It costs nothing: make one a request.

        Raises:
            UsageError: not an Actor.
        """
        if not isinstance(actor, Actor):
            raise UsageError("acting_as takes a dal.Actor")
        return Session(self._core, actor)


@asynccontextmanager
async def connect(
    url: str | None = None,
    *,
    clock: Clock | None = None,
    on_statement: OnStatement | None = None,
    **options: Any,
) -> AsyncIterator[Database]:
    """Open a database for the time of the block::

        async with dal.connect("mysql://app:secret@db/prompts?ssl_ca=/etc/ca.pem") as db:
            me = db.acting_as(dal.Actor.user(user_id))

    Without a URL, ``DAL_URL`` is used. ``private:`` is the kept private server (``dal server
    start``), ``private:temporary`` one that is gone after the block.

    Args:
        clock: tells the time of every change; the machine's unless given.
        on_statement: called after each statement with its name, engine, seconds, rows, attempt
            and error, never with a value.
        options: as in a URL; they win over it.

    Raises:
        ConfigError: nothing to connect to, or an unknown option, which is named.
        ConnectError: the server was not reached, or refused.
    """
    try:
        address = parse(url, **options)
    finally:
        # A password may be in them, and some loggers show the local variables of a traceback.
        del url, options
    async with AsyncExitStack() as stack:
        config = address
        if isinstance(config, PrivateAddress):
            config = await _private(config, stack)
        pool = await Pool.open(config)
        stack.push_async_callback(pool.shut)
        connection = await pool.borrow()
        core = Core(
            config=config,
            pool=pool,
            clock=clock or SystemClock(),
            on_statement=on_statement,
            engine=connection.engine,
            version=connection.version,
            max_allowed_packet=connection.max_allowed_packet,
        )
        pool.release(connection)
        yield Database(core)


async def _private(address: PrivateAddress, stack: AsyncExitStack) -> Config:
    """The configuration of a private server's account."""
    # Only who asks for a private server pays for the modules that start one.
    from dal import private

    if not address.temporary:
        config = await asyncio.to_thread(private.kept_config, address.engine, address.role)
    else:
        starting = asyncio.ensure_future(
            asyncio.to_thread(private.start_temporary, address.engine, address.role)
        )
        try:
            server, config = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be stopped: what it starts has nobody to stop it.
            starting.add_done_callback(private.stop_unwanted)
            raise
        stack.push_async_callback(asyncio.to_thread, server.stop)
    return attrs.evolve(config, **address.options)
