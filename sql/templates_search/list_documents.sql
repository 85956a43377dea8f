-- Page through the texts of the search, to count their words.
--
-- returns: many SearchDocument
-- param:   after_id     BINARY(16)   id of the last row of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows
-- locks:   none
SELECT
    s.template_id AS id,
    s.is_public AS is_public,
    s.terms AS terms,
    s.tokens AS tokens
FROM templates_search AS s
WHERE s.template_id > :after_id
ORDER BY s.template_id ASC
LIMIT :limit_rows
