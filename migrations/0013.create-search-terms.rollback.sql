-- transactional: false
DROP TABLE search_terms;
