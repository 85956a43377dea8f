-- transactional: false
-- ddl: mariadb: copies the table, writes wait
-- ddl: mysql: copies the table, writes wait
ALTER TABLE prompts
ADD COLUMN variation_group BINARY(16) NULL
COMMENT 'the same for all variations of a prompt; an id that nothing else has',
ADD COLUMN variation_number INT UNSIGNED NULL COMMENT 'from 1, in the group',
ADD COLUMN is_selected BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'of the group; deleted: not',
ADD COLUMN selected_group BINARY(16)
GENERATED ALWAYS AS (CASE WHEN is_selected = 1 THEN variation_group END) VIRTUAL
COMMENT 'the group of its selected one, so that there is one at most',
ADD COLUMN rating TINYINT UNSIGNED NULL COMMENT 'of the answer, 1 to 5',
ADD COLUMN feedback TEXT NULL COMMENT 'why it was rated so',
ADD COLUMN rated_at DATETIME(6) NULL,
ADD CONSTRAINT ck_prompts_rating CHECK (rating BETWEEN 1 AND 5),
ADD CONSTRAINT ck_prompts_variation
CHECK ((variation_group IS NULL) = (variation_number IS NULL)),
ADD CONSTRAINT uq_prompts_variation UNIQUE (variation_group, variation_number)
COMMENT 'prompts/list_variations, list_variation_places, find_last_variation',
ADD CONSTRAINT uq_prompts_selected UNIQUE (selected_group)
COMMENT 'one selected prompt of a group; prompts/deselect_variation';
