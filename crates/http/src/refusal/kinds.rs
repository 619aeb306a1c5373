//! Every kind of problem that the API answers with. Its code never changes; programs rely on it.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The stable code.
    pub(crate) code: &'static str,
    /// What a person is told where nothing more particular can be said.
    pub(crate) detail: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal $detail:literal;)*) => {
        $(pub(crate) const $name: &Kind = &Kind { status: $status, code: $code, detail: $detail };)*
        /// All of them.
        pub(crate) static ALL: &[&Kind] = &[$($name),*];
    };
}

kinds! {
    MALFORMED_JSON = 400 "malformed_json" "The body is not JSON.";
    INVALID_UTF8 = 400 "invalid_utf8" "The body is not UTF-8.";
    BROKEN_BODY = 400 "broken_body" "The body did not come through.";
    BAD_REQUEST = 400 "bad_request" "The request can't be read.";
    AUTHENTICATION_REQUIRED = 401 "authentication_required" "An access token is wanted: `Authorization: Bearer …`.";
    INVALID_TOKEN = 401 "invalid_token" "The access token is not valid.";
    TOKEN_EXPIRED = 401 "token_expired" "The access token has expired.";
    INVALID_TICKET = 401 "invalid_ticket" "The ticket does not admit to this stream, or has run out.";
    INVALID_CREDENTIALS = 401 "invalid_credentials" "The e-mail address or the password is wrong.";
    INVALID_REFRESH_TOKEN = 401 "invalid_refresh_token" "The refresh token is unknown, expired or revoked.";
    REFRESH_TOKEN_REUSED = 401 "refresh_token_reused"
        "The refresh token was used before; every token of its login is revoked now.";
    INSUFFICIENT_SCOPE = 403 "insufficient_scope" "The access token does not allow this.";
    REGISTRATION_CLOSED = 403 "registration_closed" "This deployment makes no new accounts.";
    ORIGIN_NOT_ALLOWED = 403 "origin_not_allowed" "Pages of this origin may not call the API.";
    NO_SUCH_JOB = 404 "no_such_job" "There is no such job.";
    NO_SUCH_PHOTO = 404 "no_such_photo" "There is no such photo.";
    NO_SUCH_ROUTE = 404 "no_such_route" "There is nothing at this path.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "This path does not take this method; `Allow` names those it takes.";
    EMAIL_TAKEN = 409 "email_taken" "There is an account with this e-mail address.";
    PHOTO_NOT_COMPLETED = 409 "photo_not_completed" "Only completed photos can be fetched.";
    BODY_TOO_LARGE = 413 "body_too_large" "The body is larger than allowed.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "The body must be `application/json`, not encoded any further.";
    INVALID_BODY = 422 "invalid_body" "The body has another shape than wanted.";
    INVALID_PARAMETER = 422 "invalid_parameter" "A parameter has a value that it can't have.";
    UNSUPPORTED_PARAMETER = 422 "unsupported_parameter" "A parameter is not known here.";
    INVALID_HEADER = 422 "invalid_header" "A header has a value that it can't have.";
    INVALID_CURSOR = 422 "invalid_cursor" "The cursor is not one that this list gave out.";
    CURSOR_OF_ANOTHER_SORT = 422 "cursor_of_another_sort" "The cursor belongs to a list with another sort.";
    INVALID_EMAIL = 422 "invalid_email" "The e-mail address is none.";
    INVALID_PASSWORD = 422 "invalid_password" "The password can't be used.";
    INVALID_SCOPE = 422 "invalid_scope" "None of the scopes can be granted.";
    AMBIGUOUS_CREDENTIALS = 422 "ambiguous_credentials" "Credentials come by HTTP Basic or in the body, not both.";
    INVALID_FILE_COUNT = 422 "invalid_file_count" "A job has at least one file, and not too many.";
    INVALID_FILES = 422 "invalid_files" "Some of the files can't be accepted; none was.";
    UPLOAD_ID_REUSED = 422 "upload_id_reused" "An upload id belongs to another file.";
    IDEMPOTENCY_KEY_REUSED = 422 "idempotency_key_reused" "The idempotency key was used for another request.";
    MULTIPART_UNAVAILABLE = 422 "multipart_unavailable" "This server takes no uploads in parts; every file is one PUT.";
    DEDUPE_UNAVAILABLE = 422 "dedupe_unavailable" "This server does not leave out files that it has already.";
    METADATA_STRIPPING_UNAVAILABLE = 422 "metadata_stripping_unavailable"
        "This server does not take metadata out of photos.";
    TOO_MANY_PROGRESS_TICKS = 422 "too_many_ticks" "An array of ticks has at most 1000 of them.";
    RATE_LIMITED = 429 "rate_limited" "Too many requests of this kind; `Retry-After` says when to go on.";
    TOO_MANY_FAILED_LOGINS = 429 "too_many_failed_logins" "Too many failed logins; `Retry-After` says when to try again.";
    INTERNAL = 500 "internal" "Something is wrong with the server; the request id finds it in its logs.";
    CONTENDED = 503 "contended" "The photo or job was changed concurrently; try again.";
    UNAVAILABLE = 503 "unavailable" "Something that the server needs can't be reached; try again.";
    REQUEST_TIMEOUT = 503 "request_timeout" "The request took too long; it may still come to its end.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ALL;

    #[test]
    fn a_code_names_one_kind() {
        let codes: BTreeSet<_> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ALL.len());
    }
}
