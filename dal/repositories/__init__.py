"""Repositories: one package per aggregate, one class per part of it.

Rules, access decisions, audit, one transaction each.
"""

from __future__ import annotations

from dal.repositories.audit import AuditLogRepository
from dal.repositories.conversations import ConversationRepository
from dal.repositories.prompts import PromptRepository
from dal.repositories.templates import TemplateRepository
from dal.repositories.users import UserRepository
from dal.repositories.vocabulary import CategoryRepository, TagRepository

__all__ = [
    "AuditLogRepository",
    "CategoryRepository",
    "ConversationRepository",
    "PromptRepository",
    "TagRepository",
    "TemplateRepository",
    "UserRepository",
]
