-- Change name, texts, category and visibility of a live template of the actor.
--
-- The index is said: where an owner has few templates, MariaDB looks for it among those.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- param:   category_id  BINARY(16) NULL the category; NULL for none
-- param:   name         VARCHAR(255) shown in lists
-- param:   description  TEXT NULL    what it is for
-- param:   author_name  VARCHAR(255) NULL whom the source credits
-- param:   visibility   VARCHAR(7)   private or public
-- param:   now          DATETIME(6)  time of the change
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY, S,REC_NOT_GAP categories.PRIMARY
UPDATE templates FORCE INDEX (PRIMARY)
SET
    category_id = :category_id,
    name = :name,
    description = :description,
    author_name = :author_name,
    visibility = :visibility,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :template_id
    AND owner_id = :actor_id
    AND deleted_at IS NULL
