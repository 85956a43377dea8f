-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE template_label_moves (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    template_id BINARY(16) NOT NULL,
    label VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    from_version INT UNSIGNED NULL COMMENT 'NULL: it was on none',
    to_version INT UNSIGNED NULL COMMENT 'NULL: it was taken off',
    moved_by BINARY(16) NOT NULL,
    moved_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_template_label_moves PRIMARY KEY (id),
    CONSTRAINT fk_template_label_moves_template FOREIGN KEY (template_id) REFERENCES templates (id)
    ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT fk_template_label_moves_moved_by FOREIGN KEY (moved_by) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_template_label_moves_template (template_id, moved_at, id)
    COMMENT 'template_label_moves/list_any, list_visible; fk_template_label_moves_template',
    KEY ix_template_label_moves_moved_by (moved_by) COMMENT 'fk_template_label_moves_moved_by'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
