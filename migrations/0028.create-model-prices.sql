-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE model_prices (
    model VARCHAR(200) COLLATE utf8mb4_bin NOT NULL COMMENT 'as the provider names it',
    provider VARCHAR(100) COLLATE utf8mb4_bin NOT NULL,
    effective_from DATETIME(6) NOT NULL COMMENT 'until the next one of this model begins',
    usage_type VARCHAR(32) COLLATE utf8mb4_bin NOT NULL COMMENT 'input, output, cache_read ...',
    unit_price DECIMAL(30, 18) NOT NULL COMMENT 'US dollars a token',
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_model_prices PRIMARY KEY (model, provider, effective_from, usage_type),
    CONSTRAINT ck_model_prices_unit_price CHECK (unit_price >= 0)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
