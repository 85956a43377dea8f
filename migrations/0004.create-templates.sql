-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE templates (
    id BINARY(16) NOT NULL COMMENT 'made by the client: UUIDv7, or v8 of an imported row',
    owner_id BINARY(16) NOT NULL,
    category_id BINARY(16) NULL,
    name VARCHAR(255) NOT NULL,
    description TEXT NULL,
    author_name VARCHAR(255) NULL COMMENT 'whom the source credits; the owner is owner_id',
    visibility ENUM('private', 'public') NOT NULL,
    head_version INT UNSIGNED NOT NULL COMMENT 'number of the newest version, from 1',
    last_version INT UNSIGNED NOT NULL
    COMMENT 'highest number ever given, so that a deleted one is not given again',
    use_count BIGINT UNSIGNED NOT NULL,
    trend BIGINT UNSIGNED NOT NULL
    COMMENT '0: never used; else 10^9 * log2(sum over uses of 2^(weeks from 2020 to the use))',
    rating_sum INT UNSIGNED NOT NULL COMMENT 'of the ratings of live users',
    rating_count INT UNSIGNED NOT NULL COMMENT 'of the ratings of live users',
    rating_rank INT UNSIGNED
    GENERATED ALWAYS AS ((rating_sum + 30) * 100000 DIV (rating_count + 10)) VIRTUAL
    COMMENT 'mean of the ratings and of ten more of 3, in 1/100,000: what they are ordered by',
    forked_from_id BINARY(16) NULL COMMENT 'no foreign key: stays when that one is purged',
    forked_from_version INT UNSIGNED NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    deleted_at DATETIME(6) NULL,
    CONSTRAINT pk_templates PRIMARY KEY (id),
    CONSTRAINT ck_templates_head_version CHECK (head_version >= 1),
    CONSTRAINT ck_templates_last_version CHECK (last_version >= head_version),
    CONSTRAINT ck_templates_rating CHECK (
        rating_sum BETWEEN rating_count AND 5 * rating_count
    ),
    CONSTRAINT fk_templates_owner FOREIGN KEY (owner_id) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_templates_category FOREIGN KEY (category_id) REFERENCES categories (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    -- First, and without a column that may be NULL: MySQL 9 checks a foreign key by the first key
    -- that begins with its columns, and checks nothing where a column of that key is NULL.
    KEY ix_templates_owner (owner_id, created_at) COMMENT 'fk_templates_owner',
    KEY ix_templates_owner_created (owner_id, deleted_at, created_at, id)
    COMMENT 'templates/list_own, list_own_with_text, list_trash, count_own, count_trash',
    KEY ix_templates_visibility_created (visibility, deleted_at, created_at, id)
    COMMENT 'templates/list_public, templates/count_public',
    KEY ix_templates_visibility_use (visibility, deleted_at, use_count, id)
    COMMENT 'the search, most used first; what a search of common words alone reads',
    KEY ix_templates_visibility_trend (visibility, deleted_at, trend, id)
    COMMENT 'the search, trending first',
    KEY ix_templates_visibility_rating (visibility, deleted_at, rating_rank, id)
    COMMENT 'the search, best rated first',
    KEY ix_templates_deleted (deleted_at, created_at, id)
    COMMENT 'templates/list_all, templates/list_purgeable',
    KEY ix_templates_category (category_id)
    COMMENT 'fk_templates_category; the search by category'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
