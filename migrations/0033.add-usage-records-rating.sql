-- transactional: false
-- ddl: mariadb: INSTANT
-- ddl: mysql: INSTANT
ALTER TABLE usage_records
ADD COLUMN rating TINYINT UNSIGNED NULL COMMENT 'of the answer, as prompts has it: for rankings';
