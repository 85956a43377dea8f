"""The words that all share: categories and tags."""

from __future__ import annotations

from dal.repositories.vocabulary.categories import CategoryRepository
from dal.repositories.vocabulary.tags import TagRepository

__all__ = ["CategoryRepository", "TagRepository"]
