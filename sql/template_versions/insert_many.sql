-- Create versions of templates that are locked and live.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   content      MEDIUMTEXT   the prompt itself
-- param:   system_prompt MEDIUMTEXT NULL the system prompt
-- param:   variables    JSON         what double braces stand for
-- param:   content_sha256 BINARY(32)   hash of content and system prompt
-- param:   message      VARCHAR(500) NULL why this version was made
-- param:   author_name  VARCHAR(255) NULL whom the source credits
-- param:   created_by   BINARY(16)   the user who made it
-- param:   created_at   DATETIME(6)  when it was made
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP templates.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO template_versions
(
    template_id,
    version,
    content,
    system_prompt,
    variables,
    content_sha256,
    message,
    author_name,
    created_by,
    created_at
)
VALUES
(
    :template_id,
    :version,
    :content,
    :system_prompt,
    :variables,
    :content_sha256,
    :message,
    :author_name,
    :created_by,
    :created_at
)
