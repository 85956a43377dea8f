-- transactional: false
DROP TABLE template_versions;
