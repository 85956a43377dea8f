-- transactional: false
DROP TABLE template_postings;
