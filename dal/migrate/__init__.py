"""Migrations: yoyo applies the files, this package sees to what yoyo leaves open.

::

    migrator = Migrator(config)             the account of the role dal_migrator
    migrator.status()                       pending, applied, edited, missing
    migrator.apply(dry_run=True)            what would run; nothing is touched
    migrator.apply()
    migrator.rollback(count=1)

Beside yoyo's tables there is one of ours, ``dal_migrations``: the digest of each applied file, and
a mark on the one that the server is working on, by which the run after a killed one knows where
that stopped. ``migrations/README.md`` tells a DBA the whole of it. All of it blocks.

``files`` reads the folder, ``bookkeeping`` the tables that remember; ``plan`` compares the two.
``run`` takes one migration through yoyo, on a ``backend`` of ours; ``locks`` keep other migrators
away, and ``failures`` are what the server says. ``migrator`` puts them together.
"""

from __future__ import annotations

from dal.migrate.files import check_files
from dal.migrate.migrator import Migrator
from dal.migrate.plan import MigrationStatus
from dal.migrate.run import MigrationStep

__all__ = ["MigrationStatus", "MigrationStep", "Migrator", "check_files"]
