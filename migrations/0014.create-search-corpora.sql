-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE search_corpora (
    corpus VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'templates',
    documents INT UNSIGNED NOT NULL COMMENT 'public ones, as of the last refresh',
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_search_corpora PRIMARY KEY (corpus)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
