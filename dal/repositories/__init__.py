"""Repositories: one class per aggregate. Rules, access decisions, audit, one transaction each."""

from __future__ import annotations

from dal.repositories.audit import AuditLogRepository
from dal.repositories.templates import TemplateRepository
from dal.repositories.users import UserRepository

__all__ = ["AuditLogRepository", "TemplateRepository", "UserRepository"]
