-- transactional: false
ALTER TABLE prompts DROP KEY ix_prompts_lease;
