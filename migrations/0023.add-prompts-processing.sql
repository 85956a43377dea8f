-- transactional: false
-- ddl: mariadb: copies the table, writes wait
-- ddl: mysql: copies the table, writes wait
ALTER TABLE prompts
MODIFY COLUMN cost DECIMAL(38, 18) NOT NULL COMMENT 'US dollars, of all attempts',
ADD COLUMN status ENUM('pending', 'processing', 'completed', 'failed', 'cancelled')
NOT NULL DEFAULT 'pending',
ADD COLUMN parent_sequence INT UNSIGNED NULL
COMMENT 'number of the prompt that it follows, a lower one; NULL: a root',
ADD COLUMN template_id BINARY(16) NULL
COMMENT 'no foreign key: what it was made of stays a fact when the template goes',
ADD COLUMN template_version INT UNSIGNED NULL COMMENT 'of that template',
ADD COLUMN system_prompt MEDIUMTEXT NULL,
ADD COLUMN provider VARCHAR(100) COLLATE utf8mb4_bin NULL COMMENT 'who runs the model',
ADD COLUMN model VARCHAR(200) COLLATE utf8mb4_bin NULL
COMMENT 'wanted until it answered; then the one that did',
ADD COLUMN settings JSON NULL
COMMENT 'an object: temperature and the like; NULL: those of the conversation',
ADD COLUMN attempt SMALLINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how often it was started',
ADD COLUMN max_attempts SMALLINT UNSIGNED NOT NULL DEFAULT 3,
ADD COLUMN error_code VARCHAR(64) COLLATE utf8mb4_bin NULL COMMENT 'why the last attempt failed',
ADD COLUMN error_message VARCHAR(2000) NULL,
ADD COLUMN finish_reason VARCHAR(64) COLLATE utf8mb4_bin NULL COMMENT 'as the model says it',
ADD COLUMN queued_at DATETIME(6) NULL COMMENT 'since when it waits, or waited last',
ADD COLUMN started_at DATETIME(6) NULL COMMENT 'of the last attempt',
ADD COLUMN finished_at DATETIME(6) NULL COMMENT 'NULL: pending or processing',
ADD COLUMN latency_ms INT UNSIGNED NULL COMMENT 'from the request to the whole answer',
ADD COLUMN first_token_ms INT UNSIGNED NULL COMMENT 'from the request to its first token',
ADD COLUMN lease_owner VARCHAR(100) COLLATE utf8mb4_bin NULL COMMENT 'which worker has it',
ADD COLUMN lease_until DATETIME(6) NULL COMMENT 'from then on another one may have it',
ADD COLUMN idempotency_key VARCHAR(100) COLLATE utf8mb4_bin NULL
COMMENT 'of the caller: the same one again in a conversation is the same prompt',
ADD CONSTRAINT uq_prompts_idempotency UNIQUE (conversation_id, idempotency_key)
COMMENT 'prompts/find_by_idempotency_key',
ADD KEY ix_prompts_parent (conversation_id, parent_sequence, sequence_number)
COMMENT 'fk_prompts_parent',
ADD KEY ix_prompts_queue (status, deleted_at, queued_at, id)
COMMENT 'prompts/lock_next';
