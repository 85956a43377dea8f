"""Gateways: a class a table, a method a .sql file. No rule lives here.

``sql/users/find_by_id.sql`` is ``UsersGateway.find_by_id``, with the file's parameters by their
names. Written from the files: edit those.
"""

from __future__ import annotations

from dal.gateways.audit_checkpoints import AuditCheckpointsGateway
from dal.gateways.audit_holds import AuditHoldsGateway
from dal.gateways.audit_logs import AuditLogsGateway
from dal.gateways.audit_seal_entries import AuditSealEntriesGateway
from dal.gateways.audit_seals import AuditSealsGateway
from dal.gateways.categories import CategoriesGateway
from dal.gateways.conversation_participants import ConversationParticipantsGateway
from dal.gateways.conversation_shares import ConversationSharesGateway
from dal.gateways.conversations import ConversationsGateway
from dal.gateways.model_prices import ModelPricesGateway
from dal.gateways.prompt_postings import PromptPostingsGateway
from dal.gateways.prompts import PromptsGateway
from dal.gateways.search_corpora import SearchCorporaGateway
from dal.gateways.search_terms import SearchTermsGateway
from dal.gateways.tags import TagsGateway
from dal.gateways.template_label_moves import TemplateLabelMovesGateway
from dal.gateways.template_labels import TemplateLabelsGateway
from dal.gateways.template_postings import TemplatePostingsGateway
from dal.gateways.template_ratings import TemplateRatingsGateway
from dal.gateways.template_tags import TemplateTagsGateway
from dal.gateways.template_versions import TemplateVersionsGateway
from dal.gateways.templates import TemplatesGateway
from dal.gateways.usage_days import UsageDaysGateway
from dal.gateways.usage_items import UsageItemsGateway
from dal.gateways.usage_records import UsageRecordsGateway
from dal.gateways.user_tokens import UserTokensGateway
from dal.gateways.users import UsersGateway

__all__ = [
    "AuditCheckpointsGateway",
    "AuditHoldsGateway",
    "AuditLogsGateway",
    "AuditSealEntriesGateway",
    "AuditSealsGateway",
    "CategoriesGateway",
    "ConversationParticipantsGateway",
    "ConversationSharesGateway",
    "ConversationsGateway",
    "ModelPricesGateway",
    "PromptPostingsGateway",
    "PromptsGateway",
    "SearchCorporaGateway",
    "SearchTermsGateway",
    "TagsGateway",
    "TemplateLabelMovesGateway",
    "TemplateLabelsGateway",
    "TemplatePostingsGateway",
    "TemplateRatingsGateway",
    "TemplateTagsGateway",
    "TemplateVersionsGateway",
    "TemplatesGateway",
    "UsageDaysGateway",
    "UsageItemsGateway",
    "UsageRecordsGateway",
    "UserTokensGateway",
    "UsersGateway",
]
