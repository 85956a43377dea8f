-- Write how many public texts there are.
--
-- returns: affected
-- param:   corpus       VARCHAR(20)  which texts: templates
-- param:   documents    INT UNSIGNED in how many texts
-- param:   corpus_terms BIGINT UNSIGNED words in all texts
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   X search_corpora.PRIMARY
INSERT INTO search_corpora
(corpus, documents, terms, updated_at)
VALUES
(:corpus, :documents, :corpus_terms, :now)
ON DUPLICATE KEY UPDATE
    documents = :documents,
    terms = :corpus_terms,
    updated_at = :now
