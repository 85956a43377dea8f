-- transactional: false
DROP TABLE prompt_postings;
