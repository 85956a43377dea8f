"""Connections, transactions, retries: the floor that speaks to the server."""

from __future__ import annotations

from dal.session.core import Core, OnStatement
from dal.session.executor import Executor
from dal.session.scope import Isolation, Scope

__all__ = ["Core", "Executor", "Isolation", "OnStatement", "Scope"]
