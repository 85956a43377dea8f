-- Keep entries from being removed: of an actor, about something, or all.
--
-- returns: affected
-- param:   hold_id      BINARY(16)   the hold
-- param:   held_actor_id BINARY(16) NULL whose entries; NULL is everybody's
-- param:   held_type    VARCHAR(32) NULL about what; NULL is about everything
-- param:   held_id      BINARY(16) NULL its id
-- param:   reason       VARCHAR(500) why
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO audit_holds (id, actor_id, target_type, target_id, reason, placed_at, released_at)
VALUES (:hold_id, :held_actor_id, :held_type, :held_id, :reason, :now, NULL)
