-- transactional: false
-- ddl: mariadb: copies the table, writes wait
-- ddl: mysql: copies the table, writes wait
ALTER TABLE prompts
ADD CONSTRAINT ck_prompts_parent CHECK (parent_sequence < sequence_number),
ADD CONSTRAINT fk_prompts_parent FOREIGN KEY (conversation_id, parent_sequence)
REFERENCES prompts (conversation_id, sequence_number) ON DELETE RESTRICT ON UPDATE RESTRICT;
