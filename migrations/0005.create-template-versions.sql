-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE template_versions (
    template_id BINARY(16) NOT NULL,
    version INT UNSIGNED NOT NULL COMMENT '1 to n of its template; a gap is a deleted one',
    content MEDIUMTEXT NOT NULL,
    system_prompt MEDIUMTEXT NULL,
    variables JSON NOT NULL COMMENT 'what {{name}} stands for it: [{"name": ..., "default": ...}]',
    content_sha256 BINARY(32) NOT NULL COMMENT 'of content and system prompt, see dal.records',
    message VARCHAR(500) NULL COMMENT 'why this version was made',
    author_name VARCHAR(255) NULL COMMENT 'whom the source credits; who made it is created_by',
    created_by BINARY(16) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_template_versions PRIMARY KEY (template_id, version),
    CONSTRAINT ck_template_versions_version CHECK (version >= 1),
    CONSTRAINT fk_template_versions_template FOREIGN KEY (template_id) REFERENCES templates (id)
    ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT fk_template_versions_created_by FOREIGN KEY (created_by) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_template_versions_created_by (created_by) COMMENT 'fk_template_versions_created_by'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
