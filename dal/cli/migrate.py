"""``dal migrate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from cyclopts import Parameter

from dal.cli import output
from dal.cli.options import Json, Url, named
from dal.config import Config, parse
from dal.errors import ConfigError
from dal.migrate import MigrationStep, Migrator
from dal.private import kept_config
from dal.provision import apply_grants
from dal.server import kept_status

__all__ = ["apply", "rollback", "status"]

DryRun = Annotated[
    bool, Parameter(name="--dry-run", negative="", help="Print the statements; run none.")
]


@contextmanager
def _target(url: str | None) -> Iterator[tuple[Config, Config | None]]:
    """Who migrates, and where the server is ours who may give rights."""
    config = parse(named(url))
    if isinstance(config, Config):
        yield config, None
        return
    if config.temporary:
        raise ConfigError("a temporary server is migrated when it starts, and gone afterwards")
    migrator = kept_config(config.engine, "dal_migrator")
    server = kept_status(config.engine)
    if server is None:
        raise ConfigError(f"the kept private {config.engine} server was stopped meanwhile")
    root = parse(server.admin_url(migrator.database))
    yield migrator, root if isinstance(root, Config) else None


def status(*, url: Url = None, json_: Json = False) -> int:
    """Show every migration: pending, applied, edited (after it was applied), or missing (its file).

    It reads only. Exit status 1 if one is edited or missing.
    """
    with _target(url) as (config, _):
        found = Migrator(config).status()
    if json_:
        output.print_json({"database": config.where, "migrations": found})
    else:
        rows = [(one.id, one.state, one.applied_at) for one in found]
        output.table(["migration", "state", "applied at"], rows)
    return 1 if any(one.state in ("edited", "missing") for one in found) else 0


def _steps(*, dry_run: bool, as_json: bool) -> tuple[list[str], Callable[[MigrationStep], None]]:
    """Collects the statements, and prints each before it runs."""
    statements: list[str] = []
    last = ""

    def on_step(step: MigrationStep) -> None:
        nonlocal last
        statements.append(step.sql)
        if as_json:
            return
        if step.id != last:
            output.say(f"{'-- ' if dry_run else ''}{step.direction} {step.id}")
            last = step.id
        if dry_run:
            output.say(f"{step.sql.rstrip().rstrip(';')};\n")

    return statements, on_step


def apply(
    *,
    dry_run: DryRun = False,
    grants: Annotated[bool | None, Parameter(negative="--no-grants")] = None,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Apply what is pending, in order.

    The account needs the rights of the role dal_migrator. A new table is of no use to the
    application until sql/grants.sql has run again.

    Args:
        grants: Give the roles their rights afterwards, by sql/grants.sql. That takes an
            administrator's account: by default it is done on a private server only.
    """
    statements, on_step = _steps(dry_run=dry_run, as_json=json_)
    with _target(url) as (config, root):
        applied = Migrator(config).apply(dry_run=dry_run, on_step=on_step)
        granted = not dry_run and (root is not None if grants is None else grants)
        if granted:
            apply_grants(root or config, config.database)
    if json_:
        output.print_json(
            {
                "applied": applied,
                "dry_run": dry_run,
                "grants": granted,
                "statements": statements if dry_run else None,
            }
        )
        return 0
    verb = "to apply" if dry_run else "applied"
    output.say(f"{len(applied)} {verb}{'; rights given by sql/grants.sql' * granted}")
    if applied and not granted and not dry_run:
        output.note("an administrator runs sql/grants.sql now, or: dal migrate apply --grants")
    return 0


def rollback(
    *,
    count: int | None = None,
    to: str | None = None,
    dry_run: DryRun = False,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Roll back the newest migration, the newest COUNT, or all after one. Tables and rows go.

    Args:
        count: How many, 1 unless given.
        to: Number or name of the migration that is to be the newest; 0000 for none.
    """
    statements, on_step = _steps(dry_run=dry_run, as_json=json_)
    with _target(url) as (config, _):
        done = Migrator(config).rollback(count=count, to=to, dry_run=dry_run, on_step=on_step)
    if json_:
        output.print_json(
            {
                "rolled_back": done,
                "dry_run": dry_run,
                "statements": statements if dry_run else None,
            }
        )
    else:
        output.say(f"{len(done)} {'to roll back' if dry_run else 'rolled back'}")
    return 0
