-- Create templates of an owner who is locked and live.
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
-- deleted: n/a
-- index:   n/a
-- reads:   0
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
VALUES
(
    :template_id,
    :owner_id,
    :category_id,
    :name,
    :description,
    :author_name,
    :visibility,
    :version,
    :last_version,
    0,
    0,
    0,
    0,
    :forked_from_id,
    :forked_from_version,
    :created_at,
    :now,
    NULL
)
