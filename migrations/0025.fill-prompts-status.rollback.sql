-- transactional: false
UPDATE prompts AS q
SET
    q.status = 'pending',
    q.finished_at = NULL;
