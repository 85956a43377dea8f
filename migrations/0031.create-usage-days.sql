-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE usage_days (
    facet ENUM('template', 'user') NOT NULL
    COMMENT 'each attempt counts once in each: all of one facet is all',
    subject_id BINARY(16) NOT NULL COMMENT 'the template, zeros for none, or the user',
    day DATE NOT NULL COMMENT 'UTC',
    template_version INT UNSIGNED NOT NULL COMMENT '0: none, and of a user',
    provider VARCHAR(100) COLLATE utf8mb4_bin NOT NULL COMMENT 'empty: not said',
    model VARCHAR(200) COLLATE utf8mb4_bin NOT NULL COMMENT 'empty: not said',
    latency_bucket SMALLINT NOT NULL
    COMMENT 'as in usage_records: the rows of a day are its histogram, and nobody queues on one',
    completed BIGINT UNSIGNED NOT NULL COMMENT 'attempts',
    failed BIGINT UNSIGNED NOT NULL COMMENT 'attempts',
    latency_ms BIGINT UNSIGNED NOT NULL COMMENT 'of the answers that were timed, together',
    timed_tokens BIGINT UNSIGNED NOT NULL COMMENT 'output and reasoning of these answers',
    input_tokens BIGINT UNSIGNED NOT NULL,
    output_tokens BIGINT UNSIGNED NOT NULL,
    cache_read_tokens BIGINT UNSIGNED NOT NULL,
    cache_write_tokens BIGINT UNSIGNED NOT NULL,
    reasoning_tokens BIGINT UNSIGNED NOT NULL,
    other_tokens BIGINT UNSIGNED NOT NULL,
    cost DECIMAL(38, 18) NOT NULL COMMENT 'US dollars',
    CONSTRAINT pk_usage_days PRIMARY KEY
    (facet, subject_id, day, template_version, provider, model, latency_bucket),
    KEY ix_usage_days_day (facet, day, model)
    COMMENT 'usage_days/list_all, list_by_model, delete_day'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
