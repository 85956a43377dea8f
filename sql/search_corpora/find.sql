-- Read how many public texts there were when they were last counted.
--
-- returns: find SearchCorpus
-- param:   corpus       VARCHAR(20)  which texts: templates
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT
    c.corpus AS corpus,
    c.documents AS documents,
    c.updated_at AS updated_at
FROM search_corpora AS c
WHERE c.corpus = :corpus
