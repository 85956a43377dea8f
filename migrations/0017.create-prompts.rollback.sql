-- transactional: false
DROP TABLE prompts;
