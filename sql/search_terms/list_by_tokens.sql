-- Read in how many texts some words are.
--
-- returns: many TermCount
-- param:   corpus       VARCHAR(20)  which texts: templates
-- param:   search_tokens VARCHAR(84)  analysed words
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
-- locks:   none
SELECT
    s.token AS token,
    s.documents AS documents
FROM search_terms AS s
WHERE
    s.corpus = :corpus
    AND s.token IN :search_tokens
ORDER BY s.token ASC
LIMIT 10000
