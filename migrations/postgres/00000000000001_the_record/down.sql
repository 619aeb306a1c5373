-- Deletes all data.
DROP TABLE events, photos, upload_jobs, users, photo_details, photo_tags, photo_work, idempotency, subscriptions, sessions,
    stream_tickets, signing_keys, upload_activity, usage_slots;
DROP SEQUENCE work_tokens;
DROP FUNCTION refuse_change_of_events, add_usage, count_new_photos, count_changed_photos;
