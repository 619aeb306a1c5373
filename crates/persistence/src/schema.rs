//! Table definitions for Diesel. Names and meanings are the same in every database; the migrations document the
//! columns. No table has more than 16 columns, because wider ones need a Diesel feature that slows down compilation.

diesel::table! {
    events (position) {
        position -> BigInt,
        namespace -> Text,
        event_id -> Text,
        stream_type -> Text,
        stream_id -> Text,
        version -> BigInt,
        owner -> Text,
        job_id -> Nullable<Text>,
        event_type -> Text,
        schema_version -> Integer,
        payload -> Json,
        metadata -> Json,
        occurred_at -> BigInt,
    }
}

diesel::table! {
    photos (namespace, photo_id) {
        namespace -> Text,
        photo_id -> Text,
        owner -> Text,
        job_id -> Text,
        upload_id -> Text,
        status -> Text,
        deleted -> Bool,
        bytes -> BigInt,
        taken_at -> Nullable<BigInt>,
        version -> BigInt,
        state -> Json,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    upload_jobs (namespace, job_id) {
        namespace -> Text,
        job_id -> Text,
        owner -> Text,
        version -> BigInt,
        state -> Json,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    users (namespace, user_id) {
        namespace -> Text,
        user_id -> Text,
        email -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        version -> BigInt,
        state -> Json,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    photo_details (namespace, photo_id) {
        namespace -> Text,
        photo_id -> Text,
        filename -> Nullable<Text>,
        metadata -> Nullable<Json>,
        hashes -> Nullable<Json>,
    }
}

diesel::table! {
    photo_tags (namespace, owner, label, photo_id) {
        namespace -> Text,
        owner -> Text,
        label -> Text,
        photo_id -> Text,
    }
}

diesel::table! {
    photo_work (namespace, photo_id, kind) {
        namespace -> Text,
        photo_id -> Text,
        kind -> Text,
        owner -> Text,
        priority -> Integer,
        due_at -> BigInt,
        attempts -> BigInt,
        claims -> BigInt,
        token -> Nullable<BigInt>,
        parked_until -> Nullable<BigInt>,
        orphaned -> Bool,
    }
}

diesel::table! {
    work_tokens (namespace) {
        namespace -> Text,
        last -> BigInt,
    }
}

diesel::table! {
    idempotency (namespace, owner, idempotency_key) {
        namespace -> Text,
        owner -> Text,
        idempotency_key -> Text,
        fingerprint -> Binary,
        photos -> Json,
        job_id -> Nullable<Text>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    subscriptions (namespace, name) {
        namespace -> Text,
        name -> Text,
        cursor_epoch -> BigInt,
        cursor_position -> BigInt,
        token -> BigInt,
        lease_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (namespace, session_id) {
        namespace -> Text,
        session_id -> Binary,
        user_id -> Text,
        scopes -> Text,
        token -> Binary,
        previous -> Nullable<Binary>,
        used_at -> BigInt,
        expires_at -> BigInt,
        ends_at -> BigInt,
    }
}

diesel::table! {
    stream_tickets (namespace, ticket) {
        namespace -> Text,
        ticket -> Binary,
        user_id -> Text,
        session_id -> Binary,
        job_id -> Nullable<Text>,
        first_use_by -> BigInt,
        expires_at -> BigInt,
        used -> Bool,
    }
}

diesel::table! {
    signing_keys (namespace) {
        namespace -> Text,
        fingerprint -> Text,
    }
}

diesel::table! {
    upload_activity (namespace, photo_id) {
        namespace -> Text,
        photo_id -> Text,
        last_seen -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(photos, photo_details);
diesel::allow_tables_to_appear_in_same_query!(photos, events);
