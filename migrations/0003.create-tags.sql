-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE tags (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    tag_key VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
    COMMENT 'trimmed, NFC, case-folded; compared byte by byte, so that each emoji is itself',
    name VARCHAR(100) NOT NULL COMMENT 'as the first template wrote it',
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_tags PRIMARY KEY (id),
    CONSTRAINT uq_tags_tag_key UNIQUE (tag_key) COMMENT 'tags/list_by_keys'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
