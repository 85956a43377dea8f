-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE template_postings (
    term BIGINT NOT NULL COMMENT 'hash of a term, 63 bits',
    scope BINARY(16) NOT NULL COMMENT 'zeros: a public template; else the owner of a private one',
    impact SMALLINT UNSIGNED NOT NULL COMMENT 'what the term says of the template, in 1/65535',
    template_id BINARY(16) NOT NULL,
    CONSTRAINT pk_template_postings PRIMARY KEY (term, scope, impact, template_id),
    CONSTRAINT fk_template_postings_template FOREIGN KEY (template_id) REFERENCES templates (id)
    ON DELETE CASCADE ON UPDATE RESTRICT,
    KEY ix_template_postings_template (template_id, term)
    COMMENT 'fk_template_postings_template; delete_by_template; the search of one''s own'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
