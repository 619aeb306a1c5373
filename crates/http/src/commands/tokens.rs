use rapidphoto_api_types::Tokens;
use rapidphoto_application::auth::TokenPair;

/// Response body for a pair of tokens.
pub(super) fn tokens(pair: &TokenPair) -> Tokens {
    Tokens {
        access_token: pair.access_token.clone(),
        token_type: "Bearer".to_owned(),
        expires_in: pair.expires_in.as_secs(),
        refresh_token: pair.refresh_token.reveal().to_owned(),
        scope: pair.scopes.to_string(),
    }
}
