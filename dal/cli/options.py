"""Options that several commands have, and how an actor is found by address."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import Parameter

import dal

__all__ = ["As", "Json", "Url", "named", "session_of", "user_of"]

Url = Annotated[
    str | None,
    Parameter(
        name="--url",
        help="mysql://user:password@host:3306/database, or private: for the kept private server;"
        " without it DAL_URL. A password on a command line is seen by others on the machine:"
        " prefer DAL_URL.",
    ),
]
Json = Annotated[
    bool, Parameter(name="--json", negative="", help="One JSON document on stdout, nothing else.")
]
As = Annotated[str, Parameter(name="--as", help="Address of the user who does this.")]


def named(url: str | None) -> str:
    """The URL given, or that of DAL_URL.

    Raises:
        ConfigError: neither is.
    """
    chosen = url if url is not None else os.environ.get("DAL_URL")
    if not chosen:
        raise dal.ConfigError(
            "no server given: pass --url, or set DAL_URL"
            " (mysql://user:password@host:3306/database, or private: after `dal server start`)"
        )
    return chosen


async def user_of(db: dal.Database, email: str) -> dal.User | None:
    """The live user with this address.

    Raises:
        ValueRejectedError: no address at all.
    """
    system = db.acting_as(dal.Actor.system("dal command line"))
    return await system.users.find_by_email(email)


async def session_of(db: dal.Database, email: str) -> dal.Session:
    """The session of the user with this address.

    Raises:
        UsageError: there is none.
        ValueRejectedError: no address at all.
    """
    user = await user_of(db, email)
    if user is None:
        raise dal.UsageError(f"--as: no user has the address {email}")
    return db.acting_as(dal.Actor.user(user.id))
