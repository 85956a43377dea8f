-- transactional: false
DROP TABLE template_labels;
