-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE usage_records (
    prompt_id BINARY(16) NOT NULL COMMENT 'no foreign keys here: money outlives what it was for',
    attempt SMALLINT UNSIGNED NOT NULL,
    conversation_id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL COMMENT 'who asked',
    template_id BINARY(16) NULL,
    template_version INT UNSIGNED NULL,
    provider VARCHAR(100) COLLATE utf8mb4_bin NULL,
    model VARCHAR(200) COLLATE utf8mb4_bin NULL,
    status ENUM('completed', 'failed') NOT NULL COMMENT 'how the attempt ended',
    error_code VARCHAR(64) COLLATE utf8mb4_bin NULL,
    finished_at DATETIME(6) NOT NULL,
    latency_ms INT UNSIGNED NULL,
    first_token_ms INT UNSIGNED NULL,
    latency_bucket SMALLINT NOT NULL
    COMMENT 'floor(log latency_ms / log 1.1); -1 to -16: no answer that was timed',
    input_tokens BIGINT UNSIGNED NOT NULL,
    output_tokens BIGINT UNSIGNED NOT NULL,
    cache_read_tokens BIGINT UNSIGNED NOT NULL,
    cache_write_tokens BIGINT UNSIGNED NOT NULL,
    reasoning_tokens BIGINT UNSIGNED NOT NULL,
    other_tokens BIGINT UNSIGNED NOT NULL COMMENT 'of all other types: usage_items names them',
    cost DECIMAL(38, 18) NOT NULL COMMENT 'US dollars',
    cost_source ENUM('table', 'partial', 'caller', 'none') NOT NULL
    COMMENT 'priced by model_prices, in part, by who said it, or not at all',
    CONSTRAINT pk_usage_records PRIMARY KEY (prompt_id, attempt),
    KEY ix_usage_records_finished (finished_at, prompt_id, attempt)
    COMMENT 'usage_records/list_all, lock_priced; usage_days/insert_of_templates, insert_of_users',
    KEY ix_usage_records_user (user_id, finished_at, prompt_id, attempt)
    COMMENT 'usage_records/list_by_user; usage_items/sum_by_user',
    KEY ix_usage_records_conversation (conversation_id, finished_at, prompt_id, attempt)
    COMMENT 'usage_records/list_by_conversation; usage_items/sum_by_conversation',
    KEY ix_usage_records_template (template_id, template_version, finished_at, prompt_id, attempt)
    COMMENT 'usage_records/list_by_template',
    KEY ix_usage_records_model (model, finished_at, prompt_id, attempt)
    COMMENT 'usage_records/list_by_model'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
