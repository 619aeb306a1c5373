//! Kinds of problems. Clients rely on the codes, so a code never changes. A kind that only one endpoint has can be
//! declared beside that endpoint instead.

/// Kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// HTTP status.
    pub(crate) status: u16,
    /// Stable code for programs.
    pub(crate) code: &'static str,
    /// Text for people, where no occurrence has a more specific one.
    pub(crate) detail: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal $detail:literal;)*) => {
        $(pub(crate) const $name: &Kind = &Kind { status: $status, code: $code, detail: $detail };)*
        /// All kinds of this module.
        pub(crate) static ALL: &[&Kind] = &[$($name),*];
    };
}

kinds! {
    MALFORMED_JSON = 400 "malformed_json" "The body is not valid JSON. Send one JSON value.";
    INVALID_UTF8 = 400 "invalid_utf8" "The body is not valid UTF-8. JSON must be encoded in UTF-8.";
    BROKEN_BODY = 400 "broken_body" "The body could not be read to its end. Check its framing and send it again.";
    BAD_REQUEST = 400 "bad_request" "The request could not be parsed. Check its path, query and headers.";
    AUTHENTICATION_REQUIRED = 401 "authentication_required"
        "An access token is required. Send it as `Authorization: Bearer …`.";
    INVALID_TOKEN = 401 "invalid_token" "The access token is not valid. Refresh it or log in again.";
    TOKEN_EXPIRED = 401 "token_expired" "The access token has expired. Refresh it or log in again.";
    INVALID_TICKET = 401 "invalid_ticket"
        "The stream ticket is unknown, expired or for another stream. Request a new one.";
    INVALID_CREDENTIALS = 401 "invalid_credentials" "The e-mail address or the password is wrong.";
    INVALID_REFRESH_TOKEN = 401 "invalid_refresh_token"
        "The refresh token is unknown, expired or revoked. Log in again.";
    REFRESH_TOKEN_REUSED = 401 "refresh_token_reused"
        "The refresh token was used before, so that all tokens of its login are revoked now. Log in again.";
    INSUFFICIENT_SCOPE = 403 "insufficient_scope" "The access token lacks the required scope. Log in with this scope.";
    REGISTRATION_CLOSED = 403 "registration_closed" "This server does not accept new accounts.";
    ORIGIN_NOT_ALLOWED = 403 "origin_not_allowed"
        "Pages of this origin may not call the API. Its operator lists the allowed origins in `server.allowed_origins`.";
    NO_SUCH_JOB = 404 "no_such_job" "The user has no job with this id.";
    NO_SUCH_PHOTO = 404 "no_such_photo" "The user has no photo with this id.";
    NO_SUCH_ROUTE = 404 "no_such_route" "No endpoint has this path. See `/openapi.json` for all endpoints.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed"
        "The path does not support this method. `Allow` lists the supported methods.";
    EMAIL_TAKEN = 409 "email_taken"
        "An account with this e-mail address exists. Log in, or register with another address.";
    PHOTO_NOT_COMPLETED = 409 "photo_not_completed"
        "The photo is not completed. Only completed photos can be downloaded.";
    NOT_MULTIPART = 409 "not_multipart"
        "The photo is uploaded by a single PUT and has no parts.";
    UPLOAD_ENDED = 409 "upload_ended"
        "The photo awaits no bytes. Its status says what became of it; finalize the upload if it is still UPLOADING.";
    UPLOAD_LOST = 409 "upload_lost"
        "The parts are gone from storage, which removes old ones. Renew the upload and send all parts again.";
    PHOTO_NOT_FAILED = 409 "photo_not_failed" "The photo has not failed. Only failed photos can be retried.";
    BODY_TOO_LARGE = 413 "body_too_large" "The body is larger than the limit. Split the request.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type"
        "The body must be `application/json` without a content encoding.";
    INVALID_BODY = 422 "invalid_body" "The body does not match the schema of the request. `errors` says where.";
    INVALID_PARAMETER = 422 "invalid_parameter"
        "A parameter has an invalid value. `errors` says what is allowed.";
    UNSUPPORTED_PARAMETER = 422 "unsupported_parameter"
        "A query parameter is not supported by this endpoint. Leave it out.";
    INVALID_HEADER = 422 "invalid_header" "A header has an invalid value. `errors` says what is allowed.";
    INVALID_CURSOR = 422 "invalid_cursor" "The cursor is not valid. Use the `nextCursor` of a page of this list.";
    CURSOR_OF_ANOTHER_SORT = 422 "cursor_of_another_sort"
        "The cursor belongs to a list with another sort. Keep the sort, or start without a cursor.";
    INVALID_EMAIL = 422 "invalid_email" "The e-mail address is not valid. `errors` says why.";
    INVALID_PASSWORD = 422 "invalid_password"
        "The password is too short or too long. `errors` says the allowed length.";
    INVALID_SCOPE = 422 "invalid_scope"
        "None of the requested scopes can be granted. Request `photos:read` or `photos:write`.";
    AMBIGUOUS_CREDENTIALS = 422 "ambiguous_credentials"
        "Credentials are in the header and in the body. Send them in one of the two.";
    INVALID_FILE_COUNT = 422 "invalid_file_count"
        "The number of files is not allowed. A job has at least one file, and at most as many as the limit.";
    INVALID_FILES = 422 "invalid_files"
        "Some files can't be accepted, so that no job was created. `errors` has one entry for each error.";
    UPLOAD_ID_REUSED = 422 "upload_id_reused" "The upload id belongs to another file. Use a new id for each file.";
    IDEMPOTENCY_KEY_REUSED = 422 "idempotency_key_reused"
        "The idempotency key was used for another request. Use a new key for each request.";
    INVALID_PART_SIZE = 422 "invalid_part_size"
        "The part size can't be used. `errors` says which sizes are allowed.";
    INVALID_PARTS = 422 "invalid_parts" "Part numbers or entity tags are not valid. `errors` says what is allowed.";
    PARTS_INCOMPLETE = 422 "parts_incomplete"
        "The parts don't add up to the file. `errors` lists what is missing: send it, then finalize again.";
    PARTS_CHANGED = 422 "parts_changed"
        "The list differs from the parts in storage. `GET /queries/upload/{photoId}/parts` returns those.";
    METADATA_STRIPPING_UNAVAILABLE = 422 "metadata_stripping_unavailable"
        "This server can't strip metadata. Leave `stripMetadata` out.";
    TOO_MANY_PROGRESS_TICKS = 422 "too_many_ticks" "The array has more than 1000 progress reports. Split it.";
    RATE_LIMITED = 429 "rate_limited" "Too many requests of this kind. Retry after the time in `Retry-After`.";
    OPEN_PHOTOS_EXCEEDED = 429 "open_photos_exceeded"
        "Too many photos are not finished. Upload or cancel some, then retry.";
    PHOTOS_PER_DAY_EXCEEDED = 429 "photos_per_day_exceeded"
        "Too many new photos today. Retry after the time in `Retry-After`.";
    TOO_MANY_STREAMS = 429 "too_many_streams"
        "Too many open streams. Close one, or watch all jobs through `/queries/events`.";
    TOO_MANY_FAILED_LOGINS = 429 "too_many_failed_logins"
        "Too many failed logins for the account, or too many logins from the client's network. Retry after the time in \
         `Retry-After`.";
    TOO_MANY_REGISTRATIONS = 429 "too_many_registrations"
        "Too many registrations from the client's network. Retry after the time in `Retry-After`.";
    INTERNAL = 500 "internal" "The server has failed unexpectedly. Its logs have the cause under the request id.";
    CONTENDED = 503 "contended"
        "The photo or job was changed concurrently. Retry after the time in `Retry-After`.";
    UNAVAILABLE = 503 "unavailable"
        "A service that the server depends on can't be reached. Retry after the time in `Retry-After`.";
    OVERLOADED = 503 "overloaded"
        "The server has too many requests in progress. Retry after the time in `Retry-After`.";
    BACKLOG = 503 "backlog"
        "Photos wait too long for their processing, so that no new ones are accepted. Retry after the time in \
         `Retry-After`.";
    REQUEST_TIMEOUT = 503 "request_timeout"
        "The request took too long. It may still complete; check its result before you repeat it.";
    STORED_BYTES_EXCEEDED = 507 "stored_bytes_exceeded"
        "The photos would need more space than the user may use. Delete some, then retry.";
    STORAGE_FULL = 507 "storage_full"
        "The server has too little free space for these photos. Retry after the time in `Retry-After`.";
}
