"""Passwords: their limits, argon2id beside the loop, and the same work for who is unknown."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from dal.config import Config
from dal.errors import ValueRejectedError
from dal.passwords import MAX_PASSWORD_CHARS, Passwords, checked_password

ROOT = Path(__file__).resolve().parents[2]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COMPOSED, DECOMPOSED = "\u00e9t\u00e9 \u1f82", "e\u0301te\u0301 \u03b1\u0313\u0300\u0345"

# Costs that no other test has had, so that their dummy is still to be made.
_unused_memory_kib = count(64)


def passwords(time_cost: int = 1, memory_kib: int = 8, parallelism: int = 1) -> Passwords:
    return Passwords(
        Config(
            user="u",
            database="d",
            argon2_time_cost=time_cost,
            argon2_memory_kib=memory_kib,
            argon2_parallelism=parallelism,
        )
    )


def damaged(password_hash: str) -> list[str]:
    """What is no argon2 hash: from the first letter on, or only behind it."""
    salt = password_hash.split("$")[4]
    return [
        "",
        "zq7xk",
        "$2b$12$" + "a" * 53,
        "$argon2idé$" + password_hash,
        "$argon2id$",
        password_hash[:-1] + "!",
        password_hash.replace(",t=1", ",t=0"),
        password_hash.replace("m=", "m=-"),
        password_hash.replace("p=1", "p=0"),
        password_hash.replace(salt, "YQ"),
        password_hash.replace("v=19", "v=x"),
    ]


async def test_a_password_and_another() -> None:
    cheap = passwords()
    stored = await cheap.hash("zq7xk zq7xk")
    assert await cheap.verify("zq7xk zq7xk", stored)
    for wrong in ("", "zq7xk", "zq7xk zq7xK", "zq7xk zq7xk ", "zq7xk zq7xk\0"):
        assert not await cheap.verify(wrong, stored)
    for unusual in ("", "\0", "a\0b", " ", "x" * MAX_PASSWORD_CHARS, "\U0001f600" * 8):
        hashed = await cheap.hash(unusual)
        assert await cheap.verify(unusual, hashed)
        assert not await cheap.verify(unusual + "x", hashed)


async def test_nobody_has_a_password() -> None:
    cheap = passwords()
    for text in ("", "zq7xk zq7xk"):
        assert await cheap.verify(text, None) is False
        for no_hash in damaged(await cheap.hash(text)):
            assert await cheap.verify(text, no_hash) is False


@pytest.mark.parametrize(("time_cost", "memory_kib", "parallelism"), [(1, 8, 1), (2, 40, 4)])
async def test_a_hash_says_its_costs(time_cost: int, memory_kib: int, parallelism: int) -> None:
    costly = passwords(time_cost, memory_kib, parallelism)
    stored = await costly.hash("zq7xk zq7xk")
    assert stored.startswith(f"$argon2id$v=19$m={memory_kib},t={time_cost},p={parallelism}$")
    # What the column holds.
    assert len(stored) <= 255
    assert stored.isascii()
    assert await costly.hash("zq7xk zq7xk") != stored


async def test_a_hash_of_other_costs_is_verified_and_made_anew() -> None:
    cheap = passwords()
    stored = await cheap.hash("zq7xk zq7xk")
    assert not cheap.needs_rehash(stored)
    assert not passwords().needs_rehash(stored)
    for other in (passwords(time_cost=2), passwords(memory_kib=16), passwords(1, 16, 2)):
        assert other.needs_rehash(stored)
        assert await other.verify("zq7xk zq7xk", stored)
        assert not await other.verify("zq7xk", stored)
    assert cheap.needs_rehash(PasswordHasher(1, 8, 1, hash_len=16).hash("x"))
    for no_hash in ("", "zq7xk", "$argon2id$", stored.replace("argon2id", "argon2i")):
        assert cheap.needs_rehash(no_hash)


@given(TEXT, TEXT)
async def test_the_same_password_is_the_same_nfc(one: str, other: str) -> None:
    cheap = passwords()
    stored = await cheap.hash(checked_password(one, field="password"))
    for text in (one, other, *(unicodedata.normalize(form, one) for form in ("NFC", "NFD"))):
        same = unicodedata.normalize("NFC", text) == unicodedata.normalize("NFC", one)
        assert await cheap.verify(checked_password(text, field="password"), stored) == same


async def test_composed_or_not() -> None:
    assert COMPOSED != DECOMPOSED
    for text in (COMPOSED, DECOMPOSED):
        assert checked_password(text, field="password", min_chars=5) == COMPOSED
    cheap = passwords()
    stored = await cheap.hash(checked_password(DECOMPOSED, field="password"))
    assert await cheap.verify(checked_password(COMPOSED, field="password"), stored)


def test_nothing_but_the_form_is_changed() -> None:
    for text in ("", " a ", "A", "\t\n\0", "\u00a0", "\ufb01", "İ"):
        assert checked_password(text, field="password") == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("zq7xk", "too short: at least 8 characters"),
        # Eleven characters, of which seven are left.
        ("zq7" + "e\u0301" * 4, "too short: at least 8 characters"),
        ("zq7xk" * 205, "too long: at most 1024 characters"),
        ("zq7xk" * 1_000_000, "too long: at most 1024 characters"),
        # One character of NFC is two: 1024 become 1025.
        ("x" * 1023 + "\u0958", "too long: at most 1024 characters"),
        ("\ud800zq7xk zq7xk", "holds a lone surrogate, which is not text"),
        (b"zq7xk zq7xk", "text is required"),
        (None, "text is required"),
        (12345678, "text is required"),
        (["zq7xk zq7xk"], "text is required"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) > 40 else None,
)
def test_what_is_no_password(value: object, said: str) -> None:
    with pytest.raises(ValueRejectedError) as caught:
        checked_password(value, field="new_password", min_chars=8)
    assert str(caught.value) == f"new_password: {said}"
    assert caught.value.field == "new_password"
    assert caught.value.__cause__ is None


def test_limits_are_for_characters_of_the_nfc() -> None:
    assert checked_password("12345678", field="f", min_chars=8) == "12345678"
    assert checked_password("\U0001f600" * 8, field="f", min_chars=8) == "\U0001f600" * 8
    assert checked_password("", field="f") == ""
    # What is longest in NFC is there in its longest form too.
    for composed in ("x", "\u00e9", "\u1f82"):
        longest = composed * MAX_PASSWORD_CHARS
        for form in ("NFC", "NFD"):
            text = unicodedata.normalize(form, longest)
            assert checked_password(text, field="f") == longest
            with pytest.raises(ValueRejectedError, match="too long"):
                checked_password(text + composed, field="f")


def test_no_character_decomposes_into_more_than_four() -> None:
    longest = max(len(unicodedata.normalize("NFD", chr(i))) for i in range(sys.maxunicode + 1))
    assert longest == 4


Calls = list[tuple[str, Parameters | None]]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The work that argon2 did: costs of each hash that was made or verified to its end."""
    done: Calls = []
    make: Callable[..., str] = PasswordHasher.hash
    verify: Callable[..., Literal[True]] = PasswordHasher.verify

    def making(self: PasswordHasher, password: str | bytes) -> str:
        made = make(self, password)
        done.append(("hash", extract_parameters(made)))
        return made

    def verifying(self: PasswordHasher, stored: str, password: str) -> Literal[True]:
        try:
            matches = verify(self, stored, password)
        except VerifyMismatchError:
            done.append(("verify", extract_parameters(stored)))
            raise
        except (InvalidHashError, VerificationError):
            done.append(("refuse", None))
            raise
        done.append(("verify", extract_parameters(stored)))
        return matches

    monkeypatch.setattr(PasswordHasher, "hash", making)
    monkeypatch.setattr(PasswordHasher, "verify", verifying)
    return done


async def test_who_is_unknown_is_as_much_work(work: Calls) -> None:
    some = passwords(memory_kib=next(_unused_memory_kib))
    stored = await some.hash("zq7xk zq7xk")
    await some.verify("zq7xk zq7xk", stored)
    work.clear()
    one_verify = [("verify", extract_parameters(stored))]
    for password_hash in (stored, None, *damaged(stored)):
        assert not await some.verify("zq7xk", password_hash)
        assert [call for call in work if call[0] != "refuse"] == one_verify
        # A damaged hash is refused before any work, and once.
        assert len(work) <= 2
        work.clear()


@pytest.mark.parametrize("known_first", [True, False])
async def test_who_comes_first_makes_the_dummy(work: Calls, known_first: bool) -> None:
    """Else the first one who is unknown would take twice as long as one who is known."""
    some = passwords(memory_kib=next(_unused_memory_kib))
    stored = await some.hash("zq7xk zq7xk")
    for at, known in enumerate((known_first, not known_first)):
        work.clear()
        await some.verify("zq7xk zq7xk", stored if known else None)
        assert [name for name, _ in work] == (["verify"] if at else ["hash", "verify"])


async def test_equal_costs_share_one_dummy_however_many_ask_at_once(work: Calls) -> None:
    # Enough work that two threads would be at it at once.
    memory_kib = 4096 + next(_unused_memory_kib)
    some = [passwords(memory_kib=memory_kib) for _ in range(20)]
    assert not any(await asyncio.gather(*(one.verify("zq7xk", None) for one in some)))
    assert sorted(name for name, _ in work) == ["hash"] + ["verify"] * 20


async def test_the_loop_turns_meanwhile() -> None:
    slow = passwords(time_cost=3, memory_kib=8192)
    for working in (slow.hash("zq7xk zq7xk"), slow.verify("zq7xk zq7xk", None)):
        task: asyncio.Task[object] = asyncio.ensure_future(working)
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        # In the first turn the task begins, and ends too if it works in the loop.
        assert turns > 1
    names = {thread.name for thread in threading.enumerate()}
    assert any(name.startswith("dal-argon2") for name in names)


async def test_who_is_cancelled_leaves_the_others_alone() -> None:
    cheap = passwords()
    stored = await cheap.hash("zq7xk zq7xk")
    tasks = [asyncio.create_task(cheap.verify("zq7xk zq7xk", stored)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[1::2] == [True] * 10
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])


def test_nothing_shows_a_password() -> None:
    config = Config(user="u", database="d", password="zq7xk")
    assert "zq7xk" not in repr(Passwords(config))
    # There is no place to keep one at.
    assert not hasattr(Passwords(config), "__dict__")


def run(program: str) -> str:
    """What ``program`` prints, in a process of its own; a hang is an error."""
    head = """
import asyncio, os, resource, threading
from dal import UnavailableError
from dal.config import Config
from dal.passwords import Passwords

def passwords(memory_kib):
    return Passwords(Config(user="u", database="d", argon2_time_cost=1,
                            argon2_memory_kib=memory_kib, argon2_parallelism=1))
"""
    done = subprocess.run(
        [sys.executable, "-c", head + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_loop_after_the_other_and_beside_it() -> None:
    run("""
cheap = passwords(8)
stored = asyncio.run(cheap.hash("zq7xk zq7xk"))
for stored_or_not in (stored, None, stored):
    assert asyncio.run(cheap.verify("zq7xk zq7xk", stored_or_not)) is (stored_or_not is not None)
answers = []
beside = [
    threading.Thread(target=lambda: answers.append(asyncio.run(cheap.verify("zq7xk", stored))))
    for _ in range(3)
]
for thread in beside:
    thread.start()
for thread in beside:
    thread.join()
assert answers == [False] * 3
""")


def test_a_child_of_fork_has_threads_of_its_own() -> None:
    run("""
cheap = passwords(8)
stored = asyncio.run(cheap.hash("zq7xk zq7xk"))
child = os.fork()
verified = asyncio.run(cheap.verify("zq7xk zq7xk", stored))
if child == 0:
    os._exit(0 if verified else 1)
assert verified
assert os.waitpid(child, 0)[1] == 0
""")


def test_no_memory_is_no_wrong_password() -> None:
    """A real limit of the process; and the error shows no password, in no variable of no frame."""
    printed = run("""
size = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (size + 2**29,) * 2)
cheap, greedy = passwords(8), passwords(2**20)
stored = asyncio.run(cheap.hash("zq7xk"))
costly = stored.replace("m=8,", "m=1048576,")

def attempt(work):
    try:
        print(asyncio.run(work))
    except UnavailableError as error:
        print(error, error.__cause__, error.__context__)
        frame = error.__traceback__.tb_next
        while frame is not None:
            assert "zq7xk" not in repr(frame.tb_frame.f_locals), frame.tb_frame
            frame = frame.tb_next

attempt(greedy.hash("zq7xk"))
attempt(greedy.verify("zq7xk", stored))
attempt(greedy.verify("zq7xk", None))
attempt(cheap.verify("zq7xk", costly))
attempt(cheap.verify("zq7xk", stored))
""")
    refused = "argon2 could not run: Memory allocation error None None"
    assert printed.splitlines() == [refused] * 4 + ["True"]
