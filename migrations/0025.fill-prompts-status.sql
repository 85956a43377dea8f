-- transactional: false
-- ddl: mariadb: one transaction over all prompts, which are locked until it ends
-- ddl: mysql: one transaction over all prompts, which are locked until it ends
UPDATE prompts AS q
SET
    q.status = CASE WHEN q.response IS NULL THEN 'cancelled' ELSE 'completed' END,
    q.finished_at = q.updated_at;
