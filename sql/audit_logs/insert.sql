-- Write an audit entry.
--
-- returns: affected
-- param:   audit_id     BINARY(16)   the entry
-- param:   occurred_at  DATETIME(6)  the time of the change itself
-- param:   actor_type   VARCHAR(9)   user, system or anonymous
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_name   VARCHAR(100) NULL name of a system actor
-- param:   action       VARCHAR(64)  dotted verb
-- param:   target_type  VARCHAR(32)  the entity
-- param:   target_id    BINARY(16) NULL its id; NULL for a bulk change
-- param:   outcome      VARCHAR(7)   success, denied or failure
-- param:   affected     INT UNSIGNED how many targets were changed
-- param:   changes      MEDIUMTEXT   canonical JSON, redacted
-- param:   request_id   VARCHAR(64) NULL of the request that caused it
-- param:   ip           VARCHAR(45) NULL of the client
-- param:   user_agent   VARCHAR(255) NULL of the client
-- param:   audit_category VARCHAR(14) what kind of action
-- param:   severity     VARCHAR(8)   low, medium, high or critical
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO audit_logs
(
    id,
    occurred_at,
    actor_type,
    actor_id,
    actor_name,
    action,
    target_type,
    target_id,
    outcome,
    affected,
    changes,
    request_id,
    ip,
    user_agent,
    category,
    severity
)
VALUES
(
    :audit_id,
    :occurred_at,
    :actor_type,
    :actor_id,
    :actor_name,
    :action,
    :target_type,
    :target_id,
    :outcome,
    :affected,
    :changes,
    :request_id,
    :ip,
    :user_agent,
    :audit_category,
    :severity
)
