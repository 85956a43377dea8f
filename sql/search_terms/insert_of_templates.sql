-- Count the public templates of live owners that hold each term there is.
--
-- After the old counts are gone.
--
-- returns: affected
-- param:   corpus       VARCHAR(20)  which texts: templates
-- access:  system
-- deleted: excluded
-- index:   full scan: numbers of everything, once a day
-- reads:   n/a: every posting
-- locks:   none
INSERT INTO search_terms
(corpus, term, documents)
SELECT STRAIGHT_JOIN
    :corpus AS corpus,
    p.term AS term,
    COUNT(*) AS documents
FROM template_postings AS p
INNER JOIN templates AS t
    ON
        p.template_id = t.id
        AND t.deleted_at IS NULL
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE p.scope = UNHEX('00000000000000000000000000000000')
GROUP BY p.term
