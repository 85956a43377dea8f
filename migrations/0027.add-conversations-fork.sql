-- transactional: false
-- ddl: mariadb: INSTANT
-- ddl: mysql: INSTANT
ALTER TABLE conversations
ADD COLUMN forked_from_id BINARY(16) NULL
COMMENT 'no foreign key: where it came from stays a fact when that goes',
ADD COLUMN forked_from_sequence INT UNSIGNED NULL COMMENT 'the last prompt of it that was copied';
