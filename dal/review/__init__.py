"""What is written from the .sql files, and checked against them: gateways, select lists."""
