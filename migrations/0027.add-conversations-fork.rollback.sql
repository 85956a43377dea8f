-- transactional: false
ALTER TABLE conversations
DROP COLUMN forked_from_id,
DROP COLUMN forked_from_sequence;
