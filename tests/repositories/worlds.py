"""The contracts of all aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import tests.repositories.audit.contract as audit
import tests.repositories.conversations.contract as conversations
import tests.repositories.prompts.contract as prompts
import tests.repositories.templates.contract as templates
import tests.repositories.users.contract as users
import tests.repositories.vocabulary.contract as vocabulary
from tests.repositories.contracts import Contract

__all__ = ["CONTRACTS"]

CONTRACTS: Final[Mapping[str, Contract]] = {
    "audit": audit.CONTRACT,
    "conversations": conversations.CONTRACT,
    "prompts": prompts.CONTRACT,
    "templates": templates.CONTRACT,
    "users": users.CONTRACT,
    "vocabulary": vocabulary.CONTRACT,
}
