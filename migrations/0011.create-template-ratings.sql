-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE template_ratings (
    template_id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL,
    rating TINYINT UNSIGNED NOT NULL,
    feedback TEXT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_template_ratings PRIMARY KEY (template_id, user_id)
    COMMENT 'one rating of a user',
    CONSTRAINT ck_template_ratings_rating CHECK (rating BETWEEN 1 AND 5),
    CONSTRAINT fk_template_ratings_template FOREIGN KEY (template_id) REFERENCES templates (id)
    ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT fk_template_ratings_user FOREIGN KEY (user_id) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_template_ratings_template (template_id, updated_at, user_id)
    COMMENT 'template_ratings/list_any, template_ratings/list_visible',
    KEY ix_template_ratings_user (user_id, template_id, rating)
    COMMENT 'templates/add_ratings, templates/subtract_ratings; fk_template_ratings_user'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
