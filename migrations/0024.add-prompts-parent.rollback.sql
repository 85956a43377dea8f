-- transactional: false
ALTER TABLE prompts
DROP CONSTRAINT fk_prompts_parent,
DROP CONSTRAINT ck_prompts_parent;
