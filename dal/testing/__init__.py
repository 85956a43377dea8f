"""Tools for tests: private servers, records of statements, checks of schemas and statements."""
