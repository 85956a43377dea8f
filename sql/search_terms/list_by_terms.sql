-- List in how many texts some terms were when they were last counted.
--
-- returns: many TermCount
-- param:   corpus       VARCHAR(20)  which texts: templates
-- param:   search_terms BIGINT       hashes of the terms that are asked for
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
-- locks:   none
SELECT
    s.term AS term,
    s.documents AS documents
FROM search_terms AS s
WHERE
    s.corpus = :corpus
    AND s.term IN :search_terms
ORDER BY s.term ASC
LIMIT 10000
