-- transactional: false
ALTER TABLE usage_records DROP COLUMN rating;
