-- What files that return the same record select, said once: scripts/select_lists writes it into them.
--
-- A new column of a record is one line here, and a field of the record in dal/records/. A list that
-- begins with all columns of another says "and". Aliases are the same in all files of a record.

-- AuditCheckpoint
c.number AS number,
c.purged_at AS purged_at,
c.purged_by AS purged_by,
c.policy AS policy,
c.seal_number AS seal_number,
c.entry_count AS entry_count,
c.gone AS gone,
c.archive_sha256 AS archive_sha256,
c.previous_sha256 AS previous_sha256,
c.sha256 AS sha256

-- AuditDayCount
-- Never NULL, which the servers do not know of a date that is computed. MySQL takes seconds
-- for decimals unless it is told.
COALESCE(
    DATE(DATE_ADD(a.occurred_at, INTERVAL CAST(:utc_offset_s AS SIGNED) SECOND)),
    DATE '1000-01-01'
) AS day,
COUNT(*) AS entries

-- AuditEntry
a.id AS id,
a.occurred_at AS occurred_at,
a.actor_type AS actor_type,
a.actor_id AS actor_id,
a.actor_name AS actor_name,
a.action AS action,
a.target_type AS target_type,
a.target_id AS target_id,
a.outcome AS outcome,
a.affected AS affected,
a.changes AS changes,
a.request_id AS request_id,
a.ip AS ip,
a.user_agent AS user_agent,
a.category AS category,
a.severity AS severity

-- AuditSeal
s.number AS number,
s.sealed_at AS sealed_at,
s.since AS since,
s.entry_count AS entry_count,
s.first_at AS first_at,
s.last_at AS last_at,
s.previous_sha256 AS previous_sha256,
s.sha256 AS sha256

-- Category
c.id AS id,
c.slug AS slug,
c.name AS name

-- CategoryCount
c.slug AS slug,
c.name AS name,
COUNT(*) AS templates

-- Conversation
c.id AS id,
c.owner_id AS owner_id,
c.title AS title,
c.description AS description,
c.status AS status,
c.archived_at AS archived_at,
c.last_activity_at AS last_activity_at,
c.last_sequence AS last_sequence,
c.active_sequence AS active_sequence,
c.message_count AS message_count,
c.token_count AS token_count,
c.cost AS cost,
c.created_at AS created_at,
c.updated_at AS updated_at,
c.deleted_at AS deleted_at,
c.context AS context,
c.settings AS settings,
c.forked_from_id AS forked_from_id,
c.forked_from_sequence AS forked_from_sequence

-- ConversationSummary
c.id AS id,
c.owner_id AS owner_id,
c.title AS title,
c.description AS description,
c.status AS status,
c.archived_at AS archived_at,
c.last_activity_at AS last_activity_at,
c.last_sequence AS last_sequence,
c.message_count AS message_count,
c.token_count AS token_count,
c.cost AS cost,
c.created_at AS created_at,
c.updated_at AS updated_at,
c.deleted_at AS deleted_at,
p.role AS role,
p.is_pinned AS is_pinned,
c.last_sequence - p.last_read_sequence AS unread_count

-- Prompt
q.id AS id,
q.conversation_id AS conversation_id,
q.author_id AS author_id,
q.sequence_number AS sequence_number,
q.parent_sequence AS parent_sequence,
q.status AS status,
q.user_input AS user_input,
q.system_prompt AS system_prompt,
q.response AS response,
q.template_id AS template_id,
q.template_version AS template_version,
q.provider AS provider,
q.model AS model,
q.settings AS settings,
q.token_count AS token_count,
q.cost AS cost,
q.attempt AS attempt,
q.max_attempts AS max_attempts,
q.error_code AS error_code,
q.error_message AS error_message,
q.finish_reason AS finish_reason,
q.queued_at AS queued_at,
q.started_at AS started_at,
q.finished_at AS finished_at,
q.latency_ms AS latency_ms,
q.first_token_ms AS first_token_ms,
q.idempotency_key AS idempotency_key,
q.variation_group AS variation_group,
q.variation_number AS variation_number,
q.is_selected AS is_selected,
q.rating AS rating,
q.feedback AS feedback,
q.rated_at AS rated_at,
q.created_at AS created_at,
q.updated_at AS updated_at,
q.deleted_at AS deleted_at

-- PromptPlace
q.id AS id,
q.author_id AS author_id,
q.sequence_number AS sequence_number,
q.parent_sequence AS parent_sequence,
q.token_count AS token_count,
q.cost AS cost

-- PromptRow
q.id AS id,
q.conversation_id AS conversation_id,
q.author_id AS author_id,
q.sequence_number AS sequence_number,
q.parent_sequence AS parent_sequence,
q.status AS status,
q.user_input AS user_input,
q.response AS response,
q.token_count AS token_count,
q.cost AS cost,
q.variation_group AS variation_group

-- PromptWork
q.id AS id,
q.conversation_id AS conversation_id,
c.owner_id AS owner_id,
q.author_id AS author_id,
q.sequence_number AS sequence_number,
q.status AS status,
q.user_input AS user_input,
q.response AS response,
q.template_id AS template_id,
q.template_version AS template_version,
q.provider AS provider,
q.model AS model,
q.token_count AS token_count,
q.cost AS cost,
q.attempt AS attempt,
q.max_attempts AS max_attempts,
q.finish_reason AS finish_reason,
q.latency_ms AS latency_ms,
q.first_token_ms AS first_token_ms,
q.lease_owner AS lease_owner,
p.role AS role,
p.can_write AS can_write

-- PricedWork: PromptWork and
(
    SELECT
        COALESCE(JSON_ARRAYAGG(
            JSON_OBJECT(
                'model',
                m.model,
                'provider',
                m.provider,
                'effective_from',
                CAST(m.effective_from AS CHAR),
                'usage_type',
                m.usage_type,
                'unit_price',
                CAST(m.unit_price AS CHAR)
            )
        ), JSON_ARRAY())
    FROM model_prices AS m
    WHERE m.model = COALESCE(:model, q.model)
) AS prices

-- PromptsOfStatus
q.status AS status,
COUNT(*) AS prompts

-- Share
s.id AS id,
s.conversation_id AS conversation_id,
s.created_by AS created_by,
s.scope AS scope,
s.through_sequence AS through_sequence,
s.expires_at AS expires_at,
s.max_views AS max_views,
s.view_count AS view_count,
s.last_viewed_at AS last_viewed_at,
s.revoked_at AS revoked_at,
s.created_at AS created_at,
s.updated_at AS updated_at

-- StoredAuditEntry
a.id AS id,
a.occurred_at AS occurred_at,
a.actor_type AS actor_type,
a.actor_id AS actor_id,
a.actor_name AS actor_name,
a.action AS action,
a.target_type AS target_type,
a.target_id AS target_id,
a.outcome AS outcome,
a.affected AS affected,
a.changes AS changes,
a.request_id AS request_id,
a.ip AS ip,
a.user_agent AS user_agent,
a.category AS category,
a.severity AS severity

-- TagCount
g.tag_key AS tag_key,
g.name AS name,
COUNT(*) AS templates

-- TemplateLabel
l.template_id AS template_id,
l.label AS label,
l.version AS version,
l.moved_by AS moved_by,
l.moved_at AS moved_at

-- TemplateRating
r.template_id AS template_id,
r.user_id AS user_id,
r.rating AS rating,
r.feedback AS feedback,
r.created_at AS created_at,
r.updated_at AS updated_at

-- TemplateSummary
t.id AS id,
t.owner_id AS owner_id,
t.name AS name,
t.description AS description,
t.author_name AS author_name,
c.slug AS category,
(
    SELECT STRAIGHT_JOIN COALESCE(JSON_ARRAYAGG(g.name), JSON_ARRAY())
    FROM template_tags AS tt
    INNER JOIN tags AS g ON tt.tag_id = g.id
    WHERE tt.template_id = t.id
) AS tags,
t.visibility AS visibility,
t.head_version AS head_version,
t.use_count AS use_count,
t.trend AS trend,
t.rating_sum AS rating_sum,
t.rating_count AS rating_count,
t.forked_from_id AS forked_from_id,
t.forked_from_version AS forked_from_version,
t.created_at AS created_at,
t.updated_at AS updated_at,
t.deleted_at AS deleted_at

-- Template: TemplateSummary and
t.last_version AS last_version,
v.content AS content,
v.system_prompt AS system_prompt,
v.variables AS variables

-- TemplateHitRow: TemplateSummary and
COALESCE(LEFT(v.content, :head_chars), '') AS content_head

-- TemplateVersion
v.template_id AS template_id,
v.version AS version,
v.content AS content,
v.system_prompt AS system_prompt,
v.variables AS variables,
v.content_sha256 AS content_sha256,
v.message AS message,
v.author_name AS author_name,
v.created_by AS created_by,
v.created_at AS created_at

-- TokensOfType
i.usage_type AS usage_type,
CAST(COALESCE(SUM(i.token_count), 0) AS SIGNED) AS token_count

-- UsageDay
d.day AS day,
d.provider AS provider,
d.model AS model,
d.latency_bucket AS latency_bucket,
CAST(COALESCE(SUM(d.completed), 0) AS SIGNED) AS completed,
CAST(COALESCE(SUM(d.failed), 0) AS SIGNED) AS failed,
CAST(COALESCE(SUM(d.latency_ms), 0) AS SIGNED) AS latency_ms,
CAST(COALESCE(SUM(d.timed_tokens), 0) AS SIGNED) AS timed_tokens,
CAST(COALESCE(SUM(d.input_tokens), 0) AS SIGNED) AS input_tokens,
CAST(COALESCE(SUM(d.output_tokens), 0) AS SIGNED) AS output_tokens,
CAST(COALESCE(SUM(d.cache_read_tokens), 0) AS SIGNED) AS cache_read_tokens,
CAST(COALESCE(SUM(d.cache_write_tokens), 0) AS SIGNED) AS cache_write_tokens,
CAST(COALESCE(SUM(d.reasoning_tokens), 0) AS SIGNED) AS reasoning_tokens,
CAST(COALESCE(SUM(d.other_tokens), 0) AS SIGNED) AS other_tokens,
CAST(COALESCE(SUM(d.cost), 0) AS DECIMAL(38, 18)) AS cost

-- UsageRecord
r.prompt_id AS prompt_id,
r.attempt AS attempt,
r.conversation_id AS conversation_id,
r.user_id AS user_id,
r.template_id AS template_id,
r.template_version AS template_version,
r.provider AS provider,
r.model AS model,
r.status AS status,
r.error_code AS error_code,
r.finished_at AS finished_at,
r.latency_ms AS latency_ms,
r.first_token_ms AS first_token_ms,
r.latency_bucket AS latency_bucket,
r.input_tokens AS input_tokens,
r.output_tokens AS output_tokens,
r.cache_read_tokens AS cache_read_tokens,
r.cache_write_tokens AS cache_write_tokens,
r.reasoning_tokens AS reasoning_tokens,
r.other_tokens AS other_tokens,
r.cost AS cost,
r.cost_source AS cost_source,
r.rating AS rating

-- User
u.id AS id,
u.email AS email,
u.full_name AS full_name,
u.role AS role,
u.is_active AS is_active,
u.email_verified_at AS email_verified_at,
u.credentials_changed_at AS credentials_changed_at,
u.locked_until AS locked_until,
u.last_login_at AS last_login_at,
u.created_at AS created_at,
u.updated_at AS updated_at,
u.deleted_at AS deleted_at

-- Account: User and
u.failed_logins AS failed_logins,
u.password_hash AS password_hash
