use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Request to create an account.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// E-mail address, used to log in.
    #[schema(example = "ada@example.org", max_length = 254, format = Email)]
    pub email: String,
    /// Password.
    #[schema(example = "correct horse battery", min_length = 10, max_length = 1024)]
    pub password: String,
}

/// Account that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Identifier of the user.
    #[schema(example = "usr_01KAGZ3T6W8Q3M5V7Y9B1D3F5H")]
    pub user_id: String,
}

/// Request to log in; HTTP Basic authentication can be used instead.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// E-mail address of the account.
    pub email: String,
    /// Password of the account.
    pub password: String,
    /// Requested scopes, separated by spaces; all scopes by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "photos:read")]
    pub scope: Option<String>,
}

/// Access token and refresh token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// Access token, for the header `Authorization: Bearer`.
    pub access_token: String,
    /// Token type, always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Lifetime of the access token, in seconds.
    #[schema(example = 900)]
    pub expires_in: u64,
    /// Refresh token, which can be exchanged once for the next pair of tokens.
    pub refresh_token: String,
    /// Granted scopes, separated by spaces.
    #[schema(example = "photos:read photos:write")]
    pub scope: String,
}

/// Request with a refresh token, to get the next pair of tokens or to log out.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Refresh token.
    pub refresh_token: String,
}

/// Request for a ticket, which authenticates the request for one event stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct StreamTicketRequest {
    /// Job whose event stream is requested; the event stream of the user by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H")]
    pub job_id: Option<String>,
}

/// Ticket for one event stream.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamTicketResponse {
    /// Ticket, for the query parameter `ticket` of the stream.
    pub ticket: String,
    /// Time until which the ticket must be used first; afterwards it remains valid for reconnects.
    pub expires_at: DateTime<Utc>,
}

/// Implements `Debug` without the fields, which contain secrets.
macro_rules! redacted_debug {
    ($($name:ident),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )* };
}

redacted_debug!(
    Registration,
    Credentials,
    Tokens,
    TokenRequest,
    StreamTicketResponse
);
