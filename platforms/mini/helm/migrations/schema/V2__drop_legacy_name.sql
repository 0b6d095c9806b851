-- point-of-no-return: the column's values are gone
ALTER TABLE account DROP COLUMN legacy_name;
