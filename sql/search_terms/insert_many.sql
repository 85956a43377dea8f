-- Write in how many texts words are.
--
-- returns: affected
-- param:   corpus       VARCHAR(20)  which texts: templates
-- param:   token        VARCHAR(84)  an analysed word
-- param:   documents    INT UNSIGNED in how many texts
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO search_terms
(corpus, token, documents)
VALUES
(:corpus, :token, :documents)
