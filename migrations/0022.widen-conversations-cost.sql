-- transactional: false
-- ddl: mariadb: copies the table, writes wait
-- ddl: mysql: copies the table, writes wait
ALTER TABLE conversations
MODIFY COLUMN cost DECIMAL(38, 18) NOT NULL COMMENT 'of live prompts, in US dollars',
ADD COLUMN active_sequence INT UNSIGNED NULL
COMMENT 'the prompt that the next one follows; NULL: none, the next one is a root';
