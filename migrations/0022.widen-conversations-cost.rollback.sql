-- transactional: false
ALTER TABLE conversations
MODIFY COLUMN cost DECIMAL(20, 10) NOT NULL COMMENT 'of live prompts',
DROP COLUMN active_sequence;
