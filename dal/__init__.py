"""Async data access for MySQL and MariaDB: SQL in files, typed records, no ORM.

::

    import asyncio, dal

    async def main():
        async with dal.connect("private:temporary") as db:
            system = db.acting_as(dal.Actor.system("signup"))
            ada = await system.users.create(email="ada@example.org", full_name="Ada")
            me = db.acting_as(dal.Actor.user(ada.id))
            await me.templates.create(name="Review", content="Review this SQL: {{sql}}")
            print(await me.templates.search("review"))

    asyncio.run(main())
"""

from __future__ import annotations

from dal.config import Config
from dal.database import Database, Session, connect
from dal.errors import (
    AuthenticationError,
    CheckError,
    ChildExistsError,
    ConfigError,
    ConnectError,
    ConnectionLostError,
    ConstraintError,
    DalError,
    DeadlockError,
    InvalidTransitionError,
    LastAdminError,
    LockTimeoutError,
    MigrationError,
    NotFoundError,
    NotNullError,
    OutcomeUnknownError,
    ParentMissingError,
    PermissionDeniedError,
    PoolTimeoutError,
    ReadOnlyServerError,
    RowShapeError,
    ServerError,
    StaleVersionError,
    StatementError,
    StatementTimeoutError,
    TransientError,
    UnavailableError,
    UniqueError,
    UsageError,
    ValueRejectedError,
    VariablesError,
)
from dal.records.actor import Actor, ActorType, Role
from dal.records.audit import (
    AuditActorCount,
    AuditCategory,
    AuditDayCount,
    AuditEntry,
    AuditSeverity,
    AuditStatistics,
    EntityState,
    FailedLoginsOfIp,
    FailedLoginsOfUser,
    Outcome,
)
from dal.records.audit_export import AuditFormat, AuditManifest
from dal.records.audit_retention import AuditHold, Retention, RetentionPolicy
from dal.records.audit_seals import (
    AuditAnchor,
    AuditBreak,
    AuditVerification,
    BreakKind,
    Sealing,
)
from dal.records.clock import Clock, ManualClock, SystemClock
from dal.records.conversation_statistics import (
    ConversationCost,
    ConversationsOfDay,
    ConversationStatistics,
    ShareStatistics,
)
from dal.records.conversations import (
    Conversation,
    ConversationHit,
    ConversationStatus,
    ConversationSummary,
    Participant,
    ParticipantRole,
)
from dal.records.dashboard import RatingsGiven, TemplateNumbers, UserDashboard
from dal.records.exported_templates import TemplateExport
from dal.records.ids import derived_id, new_id
from dal.records.imported_audit import ImportedAuditEntry
from dal.records.imported_conversations import (
    ConversationExport,
    ImportedConversation,
    ImportedPrompt,
)
from dal.records.keep import KEEP
from dal.records.new_prices import NewPrice
from dal.records.new_templates import NewTemplate, NewVersion
from dal.records.page import Page
from dal.records.personal_data import PersonalRow
from dal.records.prompts import ComparedVariation, Prompt, PromptHit, PromptStatus
from dal.records.search import SearchCorpus
from dal.records.shares import IssuedShare, OpenedShare, Share, SharedPrompt, ShareScope
from dal.records.snippets import Snippet
from dal.records.templates import (
    RatingDistribution,
    Template,
    TemplateHit,
    TemplateLabel,
    TemplateLabelMove,
    TemplateRating,
    TemplateStatistics,
    TemplateSummary,
    TemplateVersion,
    TemplateVersionSummary,
    VersionDiff,
    Visibility,
)
from dal.records.transfer import AccountDeletion, AccountTransfer
from dal.records.usage import (
    AttemptUsage,
    CostComparison,
    CostSource,
    ModelPrice,
    PricedUsage,
    Recalculation,
    UsageItem,
    UsageRecord,
    UsageStatus,
    UsageType,
)
from dal.records.usage_statistics import (
    Latency,
    Ranked,
    Ranking,
    Step,
    UsageOf,
    UsagePoint,
    UsageReport,
    UsageStatistics,
)
from dal.records.users import (
    IssuedToken,
    LoginRefusal,
    TokenPurpose,
    User,
    UsersOfDay,
    UserStatistics,
    normalize_email,
)
from dal.records.variables import RenderedPrompt, Variable
from dal.records.vocabulary import Category, CategoryCount, TagCount
from dal.repositories import (
    AuditLogRepository,
    CategoryRepository,
    ConversationRepository,
    PromptRepository,
    TagRepository,
    TemplateRepository,
    UserRepository,
)
from dal.search import SearchScope, Sort, TemplateFilters
from dal.search.users import Match
from dal.secret import Secret
from dal.session import OnStatement
from dal.statements import SqlFolder, sql_folder

__all__ = [
    "KEEP",
    "AccountDeletion",
    "AccountTransfer",
    "Actor",
    "ActorType",
    "AttemptUsage",
    "AuditActorCount",
    "AuditAnchor",
    "AuditBreak",
    "AuditCategory",
    "AuditDayCount",
    "AuditEntry",
    "AuditFormat",
    "AuditHold",
    "AuditLogRepository",
    "AuditManifest",
    "AuditSeverity",
    "AuditStatistics",
    "AuditVerification",
    "AuthenticationError",
    "BreakKind",
    "Category",
    "CategoryCount",
    "CategoryRepository",
    "CheckError",
    "ChildExistsError",
    "Clock",
    "ComparedVariation",
    "Config",
    "ConfigError",
    "ConnectError",
    "ConnectionLostError",
    "ConstraintError",
    "Conversation",
    "ConversationCost",
    "ConversationExport",
    "ConversationHit",
    "ConversationRepository",
    "ConversationStatistics",
    "ConversationStatus",
    "ConversationSummary",
    "ConversationsOfDay",
    "CostComparison",
    "CostSource",
    "DalError",
    "Database",
    "DeadlockError",
    "EntityState",
    "FailedLoginsOfIp",
    "FailedLoginsOfUser",
    "ImportedAuditEntry",
    "ImportedConversation",
    "ImportedPrompt",
    "InvalidTransitionError",
    "IssuedShare",
    "IssuedToken",
    "LastAdminError",
    "Latency",
    "LockTimeoutError",
    "LoginRefusal",
    "ManualClock",
    "Match",
    "MigrationError",
    "ModelPrice",
    "NewPrice",
    "NewTemplate",
    "NewVersion",
    "NotFoundError",
    "NotNullError",
    "OnStatement",
    "OpenedShare",
    "Outcome",
    "OutcomeUnknownError",
    "Page",
    "ParentMissingError",
    "Participant",
    "ParticipantRole",
    "PermissionDeniedError",
    "PersonalRow",
    "PoolTimeoutError",
    "PricedUsage",
    "Prompt",
    "PromptHit",
    "PromptRepository",
    "PromptStatus",
    "Ranked",
    "Ranking",
    "RatingDistribution",
    "RatingsGiven",
    "ReadOnlyServerError",
    "Recalculation",
    "RenderedPrompt",
    "Retention",
    "RetentionPolicy",
    "Role",
    "RowShapeError",
    "Sealing",
    "SearchCorpus",
    "SearchScope",
    "Secret",
    "ServerError",
    "Session",
    "Share",
    "ShareScope",
    "ShareStatistics",
    "SharedPrompt",
    "Snippet",
    "Sort",
    "SqlFolder",
    "StaleVersionError",
    "StatementError",
    "StatementTimeoutError",
    "Step",
    "SystemClock",
    "TagCount",
    "TagRepository",
    "Template",
    "TemplateExport",
    "TemplateFilters",
    "TemplateHit",
    "TemplateLabel",
    "TemplateLabelMove",
    "TemplateNumbers",
    "TemplateRating",
    "TemplateRepository",
    "TemplateStatistics",
    "TemplateSummary",
    "TemplateVersion",
    "TemplateVersionSummary",
    "TokenPurpose",
    "TransientError",
    "UnavailableError",
    "UniqueError",
    "UsageError",
    "UsageItem",
    "UsageOf",
    "UsagePoint",
    "UsageRecord",
    "UsageReport",
    "UsageStatistics",
    "UsageStatus",
    "UsageType",
    "User",
    "UserDashboard",
    "UserRepository",
    "UserStatistics",
    "UsersOfDay",
    "ValueRejectedError",
    "Variable",
    "VariablesError",
    "VersionDiff",
    "Visibility",
    "connect",
    "derived_id",
    "new_id",
    "normalize_email",
    "sql_folder",
]
