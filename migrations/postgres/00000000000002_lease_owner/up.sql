-- Process that acquired the lease last, for operators; NULL if a program of the first release did.
ALTER TABLE subscriptions ADD COLUMN owner text COLLATE "C";
