ALTER TABLE subscriptions DROP COLUMN owner;
