-- transactional: false
DROP TABLE search_corpora;
