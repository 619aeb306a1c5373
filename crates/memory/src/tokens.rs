use chrono::DateTime;
use rapidphoto_application::ports::{AccessTokens, BoxError, Grant, Scopes, TokenError};
use rapidphoto_domain::Timestamp;

/// Access tokens in plain text, for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainTokens;

impl AccessTokens for PlainTokens {
    fn issue(&self, grant: &Grant, _issued_at: Timestamp) -> Result<String, BoxError> {
        let Grant {
            user,
            session,
            scopes,
            expires_at,
        } = grant;
        let scopes = scopes.to_string().replace(' ', "+");
        Ok(format!(
            "plain.{user}.{session}.{scopes}.{}",
            expires_at.timestamp_millis()
        ))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError> {
        let grant = read(token).ok_or(TokenError::Invalid)?;
        if grant.expires_at <= now {
            return Err(TokenError::Expired);
        }
        Ok(grant)
    }
}

fn read(token: &str) -> Option<Grant> {
    let mut parts = token.strip_prefix("plain.")?.split('.');
    let user = parts.next()?.parse().ok()?;
    let session = parts.next()?.parse().ok()?;
    let scopes = Scopes::parse(&parts.next()?.replace('+', " "));
    let expires_at = DateTime::from_timestamp_millis(parts.next()?.parse().ok()?)?;
    parts.next().is_none().then_some(Grant {
        user,
        session,
        scopes,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use rapidphoto_application::ports::{Clock, SessionId};
    use rapidphoto_domain::UserId;

    use super::*;
    use crate::FakeClock;

    #[test]
    fn a_token_has_its_grant_until_it_expires() {
        let now = FakeClock::default().now();
        let grant = Grant {
            user: UserId::from_bits(7),
            session: SessionId([8; 16]),
            scopes: Scopes::of_user(),
            expires_at: now + std::time::Duration::from_secs(1),
        };
        let token = PlainTokens.issue(&grant, now).unwrap();
        assert_eq!(PlainTokens.verify(&token, now), Ok(grant.clone()));
        assert_eq!(
            PlainTokens.verify(&token, grant.expires_at),
            Err(TokenError::Expired)
        );
        for forged in [
            "",
            "plain",
            "plain.usr_1.admin.99",
            &format!("{token}.x"),
            &token[1..],
        ] {
            assert_eq!(
                PlainTokens.verify(forged, now),
                Err(TokenError::Invalid),
                "{forged}"
            );
        }
    }
}
