"""Passwords: which text may be one, and argon2id, run beside the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import (
    HashingError,
    InvalidHashError,
    VerificationError,
    VerifyMismatchError,
)
from argon2.low_level import error_to_str

from dal.config import Config
from dal.errors import UnavailableError, ValueRejectedError
from dal.records.text import free_text
from dal.secret import Secret

__all__ = ["MAX_PASSWORD_CHARS", "Passwords", "checked_password"]

# As a power: a plain number of this size is taken for an error number by the house's rules.
MAX_PASSWORD_CHARS: Final = 2**10
"""How long a password may be: any phrase fits, and no megabytes are hashed for a stranger."""

# No character decomposes canonically into more than four: a text longer than this is too long in
# NFC too, and is not normalised to find that out.
_MAX_DECOMPOSED_CHARS: Final = 4 * MAX_PASSWORD_CHARS

# What argon2 may say of this machine (ARGON2_MEMORY_ALLOCATION_ERROR, ARGON2_THREAD_FAIL).
# Whatever else it refuses to verify is the stored hash's own fault.
_NO_RESOURCES: Final = frozenset({error_to_str(-22), error_to_str(-33)})

_Result = TypeVar("_Result")


class _Workers:
    """The threads of this process, and the lock under which they make the dummy hashes.

    Threads of this module alone: a flood of log-ins neither blocks the loop nor takes the threads
    of ``asyncio.to_thread``, which others wait for. As many as there are CPUs: argon2 lets go of
    the GIL, so that all of them work, and more would work no faster. Each takes
    ``argon2_memory_kib``, so that the memory of a flood is bounded; the rest of it waits in the
    queue, and leaves it when its task is cancelled.

    Nothing here belongs to a loop, so that a process may have several.
    """

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Begin without a thread; the executor starts each when there is work for it."""
        self.threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="dal-argon2")
        self.making_a_dummy = threading.Lock()


_WORKERS: Final = _Workers()
if hasattr(os, "register_at_fork"):
    # A child of fork has none of the threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_WORKERS.start_over)


def checked_password(value: object, *, field: str, min_chars: int = 0) -> str:
    """``value`` in NFC, if it is text that may be a password.

    NFC, as the OpaqueString of RFC 8265 has it: the same password typed on another machine is the
    same. Nothing else is changed, neither case nor spaces. The limits are for characters of the
    NFC. ``min_chars`` is for a password that is set; one that is compared may be short.

    Raises:
        ValueRejectedError: not text, a lone surrogate, too short or too long; ``field`` is named,
            the text is not repeated.
    """
    text = free_text(field, value)
    if len(text) <= _MAX_DECOMPOSED_CHARS:
        text = unicodedata.normalize("NFC", text)
    if len(text) > MAX_PASSWORD_CHARS:
        raise ValueRejectedError(
            f"{field}: too long: at most {MAX_PASSWORD_CHARS} characters", field=field
        )
    if len(text) < min_chars:
        raise ValueRejectedError(
            f"{field}: too short: at least {min_chars} characters", field=field
        )
    return text


class Passwords:
    """Hash and verify passwords with argon2id, at the costs of a :class:`Config`.

    Cheap to make: it holds the costs alone. Passwords are taken as :func:`checked_password` gives
    them.
    """

    __slots__ = ("_hasher",)

    def __init__(self, config: Config) -> None:
        self._hasher = _hasher(
            config.argon2_time_cost, config.argon2_memory_kib, config.argon2_parallelism
        )

    async def hash(self, password: str) -> str:
        """The PHC string to store for ``password``; another salt, so another string, each time.

        Raises:
            UnavailableError: argon2 got no memory or no thread.
        """
        work = partial(_hash, self._hasher, Secret(password))
        # Whoever logs the local variables of a traceback finds the Secret alone.
        del password
        return await _in_thread(work)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether ``password`` is the one that was hashed.

        With None (no such account, or one without a password), and with what is no argon2 hash,
        the answer is False after the work of verifying a hash of the present costs: the time does
        not tell which it was.

        Raises:
            UnavailableError: argon2 got no memory or no thread, so there is no answer.
        """
        work = partial(_verify, self._hasher, Secret(password), password_hash)
        del password
        return await _in_thread(work)

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether ``password_hash`` is of other costs, or no argon2id hash, and is to be made anew.

        Raises:
            Nothing: what is no hash needs to be made anew too.
        """
        try:
            return self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return True


def _hasher(time_cost: int, memory_kib: int, parallelism: int) -> PasswordHasher:
    # Said in full: a default that changes in argon2-cffi must not make every hash anew.
    return PasswordHasher(
        time_cost=time_cost,
        memory_cost=memory_kib,
        parallelism=parallelism,
        hash_len=32,
        salt_len=16,
        type=Type.ID,
    )


@cache
def _dummy(time_cost: int, memory_kib: int, parallelism: int) -> str:
    """A hash of these costs that no password matches, once made the same for the process."""
    return _hasher(time_cost, memory_kib, parallelism).hash(os.urandom(32))


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(_WORKERS.threads, work)
    except (HashingError, VerificationError) as error:
        said = str(error)
    # Raised here, so that argon2's error is forgotten: the frames of its traceback hold the
    # password.
    raise UnavailableError(f"argon2 could not run: {said}")


def _hash(hasher: PasswordHasher, password: Secret) -> str:
    return hasher.hash(password.reveal())


def _verify(hasher: PasswordHasher, password: Secret, password_hash: str | None) -> bool:
    # Made before anything is verified, whether it will be needed or not: else the first unknown
    # address would take twice as long as a known one. `cache` alone lets two threads make two.
    with _WORKERS.making_a_dummy:
        dummy = _dummy(hasher.time_cost, hasher.memory_cost, hasher.parallelism)
    # What is not ASCII is no hash, and argon2-cffi would raise an error that holds it.
    if password_hash is not None and password_hash.isascii():
        verified = _verified(hasher, password, password_hash)
        if verified is not None:
            return verified
    _verified(hasher, password, dummy)
    return False


def _verified(hasher: PasswordHasher, password: Secret, password_hash: str) -> bool | None:
    """Whether they match, or None, before any work, where ``password_hash`` is no hash."""
    try:
        return hasher.verify(password_hash, password.reveal())
    except VerifyMismatchError:
        return False
    except InvalidHashError:
        return None
    except VerificationError as error:
        if str(error) in _NO_RESOURCES:
            raise
        # A hash by its first letters, and damaged behind them.
        return None
