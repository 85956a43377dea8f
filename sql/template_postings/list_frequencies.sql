-- Count the public templates of live owners that hold each of some terms.
--
-- For a database in which they were never counted.
--
-- returns: many TermCount
-- param:   search_terms BIGINT       hashes of the terms that are asked for
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: every public posting of the terms
-- locks:   none
SELECT STRAIGHT_JOIN
    p.term AS term,
    COUNT(*) AS documents
FROM template_postings AS p FORCE INDEX (PRIMARY)
INNER JOIN templates AS t FORCE INDEX (PRIMARY)
    ON
        p.template_id = t.id
        AND t.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    p.term IN :search_terms
    AND p.scope = UNHEX('00000000000000000000000000000000')
GROUP BY p.term
ORDER BY p.term ASC
LIMIT :limit_rows
