-- What each account may do, as roles. One text for MariaDB and MySQL; run by an administrator, in
-- the database, after `dal migrate apply` (a missing table is error 1146) and again after each
-- release:
--
--     mariadb --database=DATABASE < sql/grants.sql
--
-- Then each account gets one role (MariaDB has one active at a time), and has it from log-in on:
--
--     CREATE USER 'dal_app'@'HOST' IDENTIFIED BY '...';
--     GRANT dal_application TO 'dal_app'@'HOST';
--     SET DEFAULT ROLE dal_application /*M! FOR */ /*!80000 TO */ 'dal_app'@'HOST';
--
-- Tables are named without a database: the current one is meant, so that databases on one server
-- do not touch each other's rights. Running it twice changes nothing. It only gives: taking rights
-- away first would make the statements of a running application fail for that moment. To have
-- exactly this and nothing that was ever given by hand, stop the application, and for each role
-- `REVOKE ALL PRIVILEGES, GRANT OPTION FROM <role>;` (that is in all databases), then run it.
--
-- Not given to anybody: GRANT OPTION, TRIGGER, CREATE ROUTINE, EVENT, FILE, PROCESS. We use none.

CREATE ROLE IF NOT EXISTS dal_application;
CREATE ROLE IF NOT EXISTS dal_migrator;
CREATE ROLE IF NOT EXISTS dal_sealer;
CREATE ROLE IF NOT EXISTS dal_retention;
CREATE ROLE IF NOT EXISTS dal_readonly;

-- The application ---------------------------------------------------------------------------------

-- Users are soft-deleted only: UPDATE does that, and takes them out of the trash again.
GRANT SELECT, INSERT, UPDATE ON users TO dal_application;

-- A token is replaced by the next one, and gone once it is used.
GRANT SELECT, INSERT, UPDATE, DELETE ON user_tokens TO dal_application;

-- Categories are renamed, and merged into others. Tags are added, never changed or taken away.
GRANT SELECT, INSERT, UPDATE, DELETE ON categories TO dal_application;
GRANT SELECT, INSERT ON tags TO dal_application;

-- DELETE is the purge of a template. Its labels are taken off first; all else that hangs on it goes
-- with it by foreign keys, label moves too, which nobody may delete by themselves.
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO dal_application;

-- A version never changes: what was used is what can be read later. It can be deleted.
GRANT SELECT, INSERT, DELETE ON template_versions TO dal_application;

-- A label is moved and taken off; who did that is written once.
GRANT SELECT, INSERT, UPDATE, DELETE ON template_labels TO dal_application;
GRANT SELECT, INSERT ON template_label_moves TO dal_application;

-- A user changes and takes back what they think of a template.
GRANT SELECT, INSERT, UPDATE, DELETE ON template_ratings TO dal_application;

-- What the search looks in, and how often each word is there: written anew with each change and
-- each count; found by another owner after a transfer.
GRANT SELECT, INSERT, UPDATE, DELETE ON template_postings TO dal_application;
GRANT SELECT, INSERT, DELETE ON search_terms TO dal_application;
GRANT SELECT, INSERT, UPDATE ON search_corpora TO dal_application;

-- A tag is put on and taken off; there is nothing to update.
GRANT SELECT, INSERT, DELETE ON template_tags TO dal_application;

-- A conversation goes for good from the trash alone, its participants before it; who is removed
-- from one, or leaves, is gone from it at once.
GRANT SELECT, INSERT, UPDATE, DELETE ON conversations TO dal_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON conversation_participants TO dal_application;

-- A share is revoked and extended, counts its views, and is removed long after its end.
GRANT SELECT, INSERT, UPDATE, DELETE ON conversation_shares TO dal_application;

-- What the search looks in: written anew with each change, found by another owner after a transfer.
GRANT SELECT, INSERT, UPDATE, DELETE ON prompt_postings TO dal_application;

-- A prompt is deleted by a stamp, and goes for good with its conversation.
GRANT SELECT, INSERT, UPDATE, DELETE ON prompts TO dal_application;

-- A price that was said stays; from another time on there is another one.
GRANT SELECT, INSERT ON model_prices TO dal_application;

-- What was spent: it is priced anew by a job, and removed by nobody.
GRANT SELECT, INSERT, UPDATE ON usage_records TO dal_application;
GRANT SELECT, INSERT, UPDATE ON usage_items TO dal_application;

-- The roll-up of that, which can be made anew.
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_days TO dal_application;

-- Append-only: whoever breaks into the application cannot wipe its tracks.
GRANT SELECT, INSERT ON audit_logs TO dal_application;

-- What must not be removed is said, and let go again, by the application; who said it is audited.
GRANT SELECT, INSERT, UPDATE ON audit_holds TO dal_application;

-- The migrator ------------------------------------------------------------------------------------

-- On all tables of this database, since tables to come cannot be named. DROP so includes DROP
-- DATABASE, which cannot be had apart. INSERT, UPDATE and DELETE are for the tables in which it
-- records what is applied, and for migrations that fill a column. Beware: in rights on a whole
-- database an underscore in its name stands for any character, on both servers.
-- noqa: disable=PRS
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON * TO dal_migrator;
-- noqa: enable=PRS

-- The sealer of the audit log ---------------------------------------------------------------------

-- It reads entries; what it makes of them goes to tables of its own, to which it can only add. What
-- retention removed it reads to verify what is left.
GRANT SELECT ON audit_logs TO dal_sealer;
GRANT SELECT, INSERT ON audit_seals TO dal_sealer;
GRANT SELECT, INSERT ON audit_seal_entries TO dal_sealer;
GRANT SELECT ON audit_checkpoints TO dal_sealer;

-- Retention ---------------------------------------------------------------------------------------

-- Without INSERT: REPLACE is a DELETE and an INSERT, and would rewrite an entry.
GRANT SELECT, DELETE ON audit_logs TO dal_retention;

-- What it removed it says in a checkpoint, to which it can only add. Of a seal of which nothing is
-- left the list of its entries goes too; the seal stays.
GRANT SELECT ON audit_seals TO dal_retention;
GRANT SELECT, DELETE ON audit_seal_entries TO dal_retention;
GRANT SELECT, INSERT ON audit_checkpoints TO dal_retention;
GRANT SELECT ON audit_holds TO dal_retention;

-- Reading only ------------------------------------------------------------------------------------

-- For counting, charts and support: structure and times, column by column. Left out is what people
-- wrote (names, texts of templates and their words, messages, feedback, also those of private
-- templates), who they are (addresses, full names, IPs), what they prefer, and the hashes of
-- passwords and tokens: rights know no rows, so they cannot tell public from private. Whoever needs
-- a text reads it through the application, as somebody. A new column is not readable until it is
-- listed here.
GRANT SELECT (
    id, role, is_active, email_verified_at, credentials_changed_at, failed_logins, locked_until,
    last_login_at, created_at, updated_at, deleted_at
) ON users TO dal_readonly;
GRANT SELECT (user_id, purpose, created_at, expires_at) ON user_tokens TO dal_readonly;
GRANT SELECT (id, slug, name, created_at, updated_at) ON categories TO dal_readonly;
GRANT SELECT (id, tag_key, name, created_at, updated_at) ON tags TO dal_readonly;
GRANT SELECT (
    id, owner_id, category_id, visibility, head_version, last_version, use_count, trend,
    rating_sum, rating_count, rating_rank, forked_from_id, forked_from_version, created_at,
    updated_at, deleted_at
) ON templates TO dal_readonly;
GRANT SELECT (
    template_id, version, content_sha256, created_by, created_at
) ON template_versions TO dal_readonly;
GRANT SELECT (template_id, tag_id, created_at) ON template_tags TO dal_readonly;
GRANT SELECT (template_id, label, version, moved_by, moved_at) ON template_labels TO dal_readonly;
GRANT SELECT (
    id, template_id, label, from_version, to_version, moved_by, moved_at
) ON template_label_moves TO dal_readonly;
GRANT SELECT (
    template_id, user_id, rating, created_at, updated_at
) ON template_ratings TO dal_readonly;
GRANT SELECT (
    id, owner_id, status, archived_at, last_activity_at, last_sequence, active_sequence,
    message_count, token_count, cost, forked_from_id, forked_from_sequence, created_at, updated_at,
    deleted_at
) ON conversations TO dal_readonly;
GRANT SELECT (
    conversation_id, user_id, role, can_write, can_share, is_pinned, last_read_sequence,
    last_accessed_at, added_by, joined_at, updated_at, owned_id
) ON conversation_participants TO dal_readonly;
GRANT SELECT (
    id, conversation_id, created_by, scope, through_sequence, expires_at, max_views, view_count,
    last_viewed_at, revoked_at, created_at, updated_at
) ON conversation_shares TO dal_readonly;
GRANT SELECT (
    id, conversation_id, author_id, sequence_number, parent_sequence, status, template_id,
    template_version, provider, model, token_count, cost, attempt, max_attempts, error_code,
    finish_reason, queued_at, started_at, finished_at, latency_ms, first_token_ms, lease_owner,
    lease_until, variation_group, variation_number, is_selected, selected_group, rating, rated_at,
    created_at, updated_at, deleted_at
) ON prompts TO dal_readonly;
GRANT SELECT (
    model, provider, effective_from, usage_type, unit_price, created_at
) ON model_prices TO dal_readonly;
GRANT SELECT (
    prompt_id, attempt, conversation_id, user_id, template_id, template_version, provider, model,
    status, error_code, finished_at, latency_ms, first_token_ms, latency_bucket, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, other_tokens, cost,
    cost_source, rating
) ON usage_records TO dal_readonly;
GRANT SELECT (
    prompt_id, attempt, usage_type, token_count, unit_price, cost
) ON usage_items TO dal_readonly;
GRANT SELECT (
    facet, subject_id, day, template_version, provider, model, latency_bucket, completed, failed,
    latency_ms, timed_tokens, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, other_tokens, cost
) ON usage_days TO dal_readonly;
GRANT SELECT (corpus, documents, updated_at) ON search_corpora TO dal_readonly;
GRANT SELECT (
    id, occurred_at, actor_type, actor_id, actor_name, action, target_type, target_id, outcome,
    affected, request_id, category, severity, security_at
) ON audit_logs TO dal_readonly;
GRANT SELECT (
    number, sealed_at, since, entry_count, first_at, last_at, previous_sha256, sha256
) ON audit_seals TO dal_readonly;
GRANT SELECT (audit_id, seal_number, sha256) ON audit_seal_entries TO dal_readonly;
GRANT SELECT (
    number, purged_at, purged_by, policy, seal_number, entry_count, gone, archive_sha256,
    previous_sha256, sha256
) ON audit_checkpoints TO dal_readonly;
GRANT SELECT (
    id, actor_id, target_type, target_id, placed_at, released_at
) ON audit_holds TO dal_readonly;
