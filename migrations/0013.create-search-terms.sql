-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE search_terms (
    corpus VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'templates',
    term BIGINT NOT NULL COMMENT 'hash of a term, 63 bits',
    documents INT UNSIGNED NOT NULL COMMENT 'how many hold it, as of the last refresh',
    CONSTRAINT pk_search_terms PRIMARY KEY (corpus, term) COMMENT 'search_terms/list_by_terms'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
