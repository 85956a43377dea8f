-- Count the public templates of live owners that hold each of some terms.
--
-- After the old counts are gone; a share of the terms at a time, since one statement for all of a
-- large database would be stopped at its time limit.
--
-- returns: affected
-- param:   corpus       VARCHAR(20)  which texts: templates
-- param:   from_term    BIGINT       the lowest hash of a term
-- param:   to_term      BIGINT       the highest hash of a term
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: every posting of these terms, once a day
-- locks:   none
INSERT INTO search_terms
(corpus, term, documents)
SELECT STRAIGHT_JOIN
    :corpus AS corpus,
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
    p.term >= :from_term
    AND p.term <= :to_term
    AND p.scope = UNHEX('00000000000000000000000000000000')
GROUP BY p.term
