use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Makes an account.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// The address that the account logs in with.
    #[schema(example = "ada@example.org", max_length = 254, format = Email)]
    pub email: String,
    /// The password.
    #[schema(example = "correct horse battery", min_length = 10, max_length = 1024)]
    pub password: String,
}

/// The account that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Names the user.
    #[schema(example = "usr_01KAGZ3T6W8Q3M5V7Y9B1D3F5H")]
    pub user_id: String,
}

/// Logs in; HTTP Basic does as well.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Credentials {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// Scopes with spaces between, where fewer than all are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "photos:read")]
    pub scope: Option<String>,
}

/// A pair of tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// Goes into `Authorization: Bearer`.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// How long the access token holds, in seconds.
    #[schema(example = 900)]
    pub expires_in: u64,
    /// Gets the next pair, once.
    pub refresh_token: String,
    /// What the access token allows, with spaces between.
    #[schema(example = "photos:read photos:write")]
    pub scope: String,
}

/// Hands a refresh token in: for the next pair, or to log out.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// The refresh token.
    pub refresh_token: String,
}

/// Asks for admission to one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamTicketRequest {
    /// The job whose stream it is for; without it, the stream of everything of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H")]
    pub job_id: Option<String>,
}

/// Admission to one stream.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamTicketResponse {
    /// Goes into the stream's URL as `?ticket=`.
    pub ticket: String,
    /// Until when it must be used for the first time; after that it serves reconnects.
    pub expires_at: DateTime<Utc>,
}

/// Keeps secrets out of debugging output.
macro_rules! secretive {
    ($($name:ident),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )* };
}

secretive!(
    Registration,
    Credentials,
    Tokens,
    TokenRequest,
    StreamTicketResponse
);
