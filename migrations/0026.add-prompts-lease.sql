-- transactional: false
-- ddl: mariadb: in place, writes go on; the key costs a read of the table
-- ddl: mysql: in place, writes go on; the key costs a read of the table
ALTER TABLE prompts
ADD KEY ix_prompts_lease (lease_until, id) COMMENT 'prompts/requeue_expired';
