-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE prompt_postings (
    term BIGINT NOT NULL COMMENT 'hash of a term, 63 bits',
    scope BINARY(16) NOT NULL COMMENT 'the owner of the conversation',
    impact SMALLINT UNSIGNED NOT NULL COMMENT 'what the term says of the prompt, in 1/65535',
    conversation_id BINARY(16) NOT NULL,
    sequence_number INT UNSIGNED NOT NULL COMMENT 'of the prompt; 0: title and description',
    CONSTRAINT pk_prompt_postings PRIMARY KEY
    (term, scope, impact, conversation_id, sequence_number),
    CONSTRAINT fk_prompt_postings_conversation FOREIGN KEY (conversation_id)
    REFERENCES conversations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_prompt_postings_conversation (conversation_id, term, sequence_number)
    COMMENT 'fk_prompt_postings_conversation; delete_one; prompts/list_heads; the search'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
