"""The wheel works in a clean environment, outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dal.config import Config
from tests.repositories.test_readme import ROOT, url

PROGRAM = """
import asyncio, sys, dal, dal.statements

async def main():
    assert dal.__file__.startswith(sys.prefix), dal.__file__
    assert "templates/insert" in dal.statements.house().statements
    async with dal.connect() as db:
        user = await db.acting_as(dal.Actor.system("wheel")).users.create(
            email=f"{dal.new_id(dal.SystemClock().now())}@example.org", full_name="Wheel")
        me = db.acting_as(dal.Actor.user(user.id))
        made = await me.templates.create(name="From a wheel", content="c", tags=["w"])
        assert await me.templates.get(made.id) == made
    print("used", db.engine)

asyncio.run(main())
"""


def run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DAL_", "VIRTUAL"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # Of a copy, since a build leaves its scratch beside the sources.
    for name in ("dal", "sql", "migrations"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, source, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    made = run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    assert made.returncode == 0, made.stderr
    python = folder / "venv/bin/python"
    installed = run(
        sys.executable, "-m", "pip", "--quiet", "--python", python, "install", wheel, cwd=folder
    )
    assert installed.returncode == 0, installed.stderr
    return python


def test_the_wheel_is_used(clean_python: Path, config: Config, tmp_path: Path) -> None:
    done = run(clean_python, "-W", "error", "-c", PROGRAM, cwd=tmp_path, DAL_URL=url(config))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("used ")


def test_without_the_cli_extra_the_command_says_what_to_install(
    clean_python: Path, tmp_path: Path
) -> None:
    done = run(clean_python, "-m", "dal", "--help", cwd=tmp_path)
    assert done.returncode == 2
    assert "dal[cli]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wheel_brings_every_sql_file_and_migration(clean_python: Path, tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; import dal; p = Path(dal.__file__).parent; "
        "print(*sorted(str(f.relative_to(p)) for d in ('_sql', '_migrations') "
        "for f in (p / d).rglob('*.sql')), sep='\\n')"
    )
    done = run(clean_python, "-c", program, cwd=tmp_path)
    here = sorted(
        f"_{name}/{file.relative_to(ROOT / name)}"
        for name in ("sql", "migrations")
        for file in (ROOT / name).rglob("*.sql")
    )
    assert done.stdout.split() == here
