-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE templates_search (
    template_id BINARY(16) NOT NULL,
    is_public BOOLEAN NOT NULL COMMENT 'as its tokens say: those of a private one start with x',
    terms INT UNSIGNED NOT NULL COMMENT 'how many words the text has',
    tokens MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL
    COMMENT 'the words of all texts of a live template, analysed: see dal.search.documents',
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_templates_search PRIMARY KEY (template_id),
    CONSTRAINT fk_templates_search_template FOREIGN KEY (template_id) REFERENCES templates (id)
    ON DELETE CASCADE ON UPDATE RESTRICT,
    FULLTEXT KEY ft_templates_search_tokens (tokens) COMMENT 'the search by words'
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
