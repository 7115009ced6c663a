-- As 001: what is older than 003 is thrown away with its file.
SELECT 1;
