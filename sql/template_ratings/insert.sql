-- Rate a template that is locked, as a user who is locked too.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   user_id      BINARY(16)   the user
-- param:   rating       TINYINT UNSIGNED 1 to 5
-- param:   feedback     TEXT NULL    why
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP templates.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO template_ratings
(template_id, user_id, rating, feedback, created_at, updated_at)
VALUES
(:template_id, :user_id, :rating, :feedback, :now, :now)
