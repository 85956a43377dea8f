-- Write how many public texts there are.
--
-- returns: affected
-- param:   corpus       VARCHAR(20)  which texts: templates
-- param:   documents    INT UNSIGNED in how many texts
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   X,REC_NOT_GAP search_corpora.PRIMARY
INSERT INTO search_corpora
(corpus, documents, updated_at)
VALUES
(:corpus, :documents, :now)
ON DUPLICATE KEY UPDATE
    documents = :documents,
    updated_at = :now
