DROP TABLE attempts;
DROP FUNCTION begin_attempt, without_one;
