-- Create a template of a live owner; no row when the owner is not there.
--
-- MySQL reads the owner once more, for the foreign key.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   owner_id     BINARY(16)   the owner
-- param:   category_id  BINARY(16) NULL the category; NULL for none
-- param:   name         VARCHAR(255) shown in lists
-- param:   description  TEXT NULL    what it is for
-- param:   author_name  VARCHAR(255) NULL whom the source credits
-- param:   visibility   VARCHAR(7)   private or public
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   last_version INT UNSIGNED highest number given so far
-- param:   forked_from_id BINARY(16) NULL the template it was forked from
-- param:   forked_from_version INT UNSIGNED NULL the version it was forked from
-- param:   created_at   DATETIME(6)  when it was made
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   2
-- locks:   S,REC_NOT_GAP users.PRIMARY, S,REC_NOT_GAP categories.PRIMARY
INSERT INTO templates
(
    id,
    owner_id,
    category_id,
    name,
    description,
    author_name,
    visibility,
    head_version,
    last_version,
    use_count,
    trend,
    rating_sum,
    rating_count,
    forked_from_id,
    forked_from_version,
    created_at,
    updated_at,
    deleted_at
)
SELECT
    :template_id AS id,
    o.id AS owner_id,
    :category_id AS category_id,
    :name AS name,
    :description AS description,
    :author_name AS author_name,
    :visibility AS visibility,
    :version AS head_version,
    :last_version AS last_version,
    0 AS use_count,
    0 AS trend,
    0 AS rating_sum,
    0 AS rating_count,
    :forked_from_id AS forked_from_id,
    :forked_from_version AS forked_from_version,
    :created_at AS created_at,
    :now AS updated_at,
    NULL AS deleted_at
FROM users AS o
WHERE
    o.id = :owner_id
    AND o.deleted_at IS NULL
LOCK IN SHARE MODE
