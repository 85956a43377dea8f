"""The commands put together: names, help, and how a call becomes an exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError

from dal.cli import (
    audit,
    doctor,
    exchange,
    explain,
    gateways,
    migrate,
    output,
    prices,
    refresh,
    server,
    stats,
    templates,
    user,
)
from dal.errors import (
    ConfigError,
    DalError,
    PermissionDeniedError,
    StatementError,
    UnavailableError,
    UsageError,
    ValueRejectedError,
)

__all__ = ["run"]

_HELP = """Data access for MySQL and MariaDB: servers, migrations, templates, plans, diagnosis."""
_EPILOGUE = (
    "A server of your own, without touching those of the machine: dal server start, then"
    " export DAL_URL=private:\n\n"
    "Exit status: 0 done; 1 the data (a bad row, a failed check or migration, nothing there); 2 the"
    " call, the configuration or the connection. Errors are one message on stderr.\n\n"
    "Tables and bars are for terminals; a pipe gets plain lines with tabs, --json gives JSON."
)
# Group, name, function, examples.
_COMMANDS: tuple[tuple[str, str, Callable[..., int], str], ...] = (
    ("server", "start", server.start, "dal server start --engine mysql"),
    ("server", "stop", server.stop, "dal server stop"),
    ("server", "status", server.status, "dal server status --json"),
    ("migrate", "status", migrate.status, "dal migrate status"),
    ("migrate", "apply", migrate.apply, "dal migrate apply --dry-run"),
    ("migrate", "rollback", migrate.rollback, "dal migrate rollback --to 0004 --dry-run"),
    (
        "",
        "import",
        exchange.import_rows,
        "dal import prompts.jsonl --as ada@example.org --create-user 'Ada Lovelace'\n\n"
        "dal import prompts.csv --as ada@example.org --map act=name,prompt=content --strict\n\n"
        "dal import talks.jsonl --kind conversations --as ada@example.org --create-users",
    ),
    (
        "",
        "export",
        exchange.export_rows,
        "dal export --as ada@example.org --out ada.jsonl\n\n"
        "dal export --kind conversations --format markdown --as ada@example.org",
    ),
    (
        "",
        "search",
        templates.search_templates,
        "dal search sql review --limit 5\n\n"
        "dal search --as ada@example.org --scope mine --tag sql --tag review --json",
    ),
    ("user", "export", user.export, "dal user export ada@example.org --out ada.jsonl"),
    (
        "",
        "import-prices",
        prices.import_prices,
        "dal import-prices prices.jsonl --effective-from 2026-01-01T00:00:00+00:00",
    ),
    ("audit", "seal", audit.seal, "dal audit seal"),
    ("audit", "anchor", audit.anchor, "dal audit anchor >> anchors.jsonl"),
    ("audit", "verify", audit.verify, "dal audit verify --anchor anchor.json"),
    (
        "audit",
        "export",
        audit.export,
        "dal audit export --severity high --from 2026-01-01T00:00:00+00:00 --out january.jsonl",
    ),
    ("audit", "import", audit.import_entries, "dal audit import january.jsonl"),
    ("audit", "retain", audit.retain, "dal audit retain --archive old.jsonl"),
    ("", "refresh-search", refresh.refresh_search, "dal refresh-search"),
    ("", "stats", stats.stats, "dal stats --json"),
    (
        "",
        "explain",
        explain.explain,
        "dal explain templates/list_public --limit-rows 21\n\n"
        "dal explain users/find_by_email --param email=ada@example.org --url private:",
    ),
    ("", "doctor", doctor.doctor, "dal doctor --json"),
    (
        "",
        "gateways",
        gateways.write_gateways,
        "dal gateways myapp/sql --out myapp/gateways.py --records myapp.records",
    ),
)
# The call, the configuration or the connection was wrong; every other error is about the data.
_USAGE = (
    ConfigError,
    PermissionDeniedError,
    StatementError,
    UnavailableError,
    UsageError,
    ValueRejectedError,
)


def _version() -> str:
    try:
        return version("dal")
    except PackageNotFoundError:  # a bare checkout
        return "unknown"


def _made() -> App:
    made = App(
        name="dal",
        help=_HELP,
        help_format="markdown",
        help_formatter="default" if sys.stdout.isatty() else "plain",
        help_epilogue=_EPILOGUE,
        version=_version,
    )
    of_server = App(name="server", help="The kept private server: start, stop, status.")
    of_migrate = App(name="migrate", help="Migrations: status, apply, rollback.")
    made.command(of_server)
    made.command(of_migrate)
    of_audit = App(
        name="audit", help="The audit log: seal, anchor, verify, export, import, retain."
    )
    made.command(of_audit)
    of_user = App(name="user", help="What the system holds of one account: export.")
    made.command(of_user)
    groups = {
        "": made,
        "server": of_server,
        "migrate": of_migrate,
        "audit": of_audit,
        "user": of_user,
    }
    for parent, name, function, examples in _COMMANDS:
        groups[parent].command(function, name=name, help_epilogue=f"Examples:\n\n{examples}")
    return made


def run(arguments: Sequence[str]) -> int:
    """Parse and run one call.

    Raises:
        BrokenPipeError: whoever reads the output stopped reading.
    """
    app = _made()
    try:
        command, bound, _ = app.parse_args(list(arguments), exit_on_error=False, print_error=False)[
            :3
        ]
        return int(command(*bound.args, **bound.kwargs) or 0)
    except CycloptsError as error:
        output.complain(" ".join(str(error).split()))
        return 2
    except BrokenPipeError:
        raise
    except DalError as error:
        output.complain(str(error))
        return 2 if isinstance(error, _USAGE) else 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        output.complain(f"{where}{error.strerror or error}")
        return 2
    except KeyboardInterrupt:
        output.complain("interrupted")
        return 130
