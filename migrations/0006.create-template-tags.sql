-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE template_tags (
    template_id BINARY(16) NOT NULL,
    tag_id BINARY(16) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_template_tags PRIMARY KEY (template_id, tag_id),
    CONSTRAINT fk_template_tags_template FOREIGN KEY (template_id) REFERENCES templates (id)
    ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT fk_template_tags_tag FOREIGN KEY (tag_id) REFERENCES tags (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_template_tags_tag (tag_id, template_id)
    COMMENT 'templates that carry a tag, in the search; fk_template_tags_tag'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
