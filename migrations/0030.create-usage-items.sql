-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE usage_items (
    prompt_id BINARY(16) NOT NULL,
    attempt SMALLINT UNSIGNED NOT NULL,
    usage_type VARCHAR(32) COLLATE utf8mb4_bin NOT NULL COMMENT 'input, output, cache_read ...',
    token_count BIGINT UNSIGNED NOT NULL,
    unit_price DECIMAL(30, 18) NULL COMMENT 'US dollars a token, as it was; NULL: not priced by us',
    cost DECIMAL(38, 18) NULL COMMENT 'US dollars; NULL: not priced by us',
    CONSTRAINT pk_usage_items PRIMARY KEY (prompt_id, attempt, usage_type)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
