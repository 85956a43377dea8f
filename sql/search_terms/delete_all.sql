-- Forget in how many texts words were, before they are counted anew.
--
-- The index is said: while there is one kind of texts, MySQL reads the table without one.
-- Each row is read to find it, and again to delete it.
--
-- returns: affected
-- param:   corpus       VARCHAR(20)  which texts: templates
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   2 * rows
-- locks:   X,REC_NOT_GAP search_terms.PRIMARY
DELETE s
FROM search_terms AS s FORCE INDEX (PRIMARY)
WHERE s.corpus = :corpus
