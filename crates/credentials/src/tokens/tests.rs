use chrono::TimeDelta;
use rapidphoto_application::ports::{Scope, SessionId};
use serde_json::json;

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::new(&[seed; 32]).unwrap()
}

fn tokens() -> Hs256Tokens {
    Hs256Tokens::new("rapidphoto", key(1), None)
}

fn now() -> Timestamp {
    DateTime::from_timestamp(1_772_360_430, 0).unwrap()
}

fn grant() -> Grant {
    Grant {
        user: UserId::from_bits(0x0195_5f2a_1111_2222_3333_4444_5555_6666),
        session: SessionId([0xa5; 16]),
        scopes: Scopes::of_user(),
        expires_at: now() + TimeDelta::minutes(15),
    }
}

fn issued() -> String {
    tokens().issue(&grant(), now()).unwrap()
}

fn base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn part(token: &str, index: usize) -> String {
    token.split('.').nth(index).unwrap().to_owned()
}

/// A token with these claims and a valid signature.
fn signed(key: &SigningKey, claims: &serde_json::Value) -> String {
    let message = format!("{}.{}", key.header, base64(&claims.to_string()));
    let signature = key.sign(&message);
    format!("{message}.{signature}")
}

#[test]
fn a_token_contains_its_grant() {
    assert_eq!(tokens().verify(&issued(), now()), Ok(grant()));

    let admin = Grant {
        scopes: [Scope::Admin].into_iter().collect(),
        ..grant()
    };
    let token = tokens().issue(&admin, now()).unwrap();
    assert_eq!(tokens().verify(&token, now()), Ok(admin));
}

#[test]
fn a_token_is_a_json_web_token_with_registered_claims() {
    let token = issued();
    let read = |index| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part(&token, index)).unwrap()).unwrap()
    };
    assert_eq!(read(0)["alg"], "HS256");
    assert_eq!(read(0)["typ"], "JWT");
    assert_eq!(
        read(1),
        json!({
            "iss": "rapidphoto",
            "sub": grant().user.to_string(),
            "sid": "a5".repeat(16),
            "scope": "photos:read photos:write",
            "iat": 1_772_360_430,
            "exp": 1_772_361_330,
        })
    );
}

#[test]
fn signatures_match_the_example_of_rfc_7515() {
    // Appendix A.1.
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = SigningKey::new(&URL_SAFE_NO_PAD.decode(secret).unwrap()).unwrap();
    let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                   eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    assert_eq!(key.sign(message), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

#[test]
fn a_token_is_valid_until_it_expires() {
    let end = grant().expires_at;
    assert!(
        tokens()
            .verify(&issued(), end - TimeDelta::milliseconds(1))
            .is_ok()
    );
    assert_eq!(tokens().verify(&issued(), end), Err(TokenError::Expired));
    assert_eq!(
        tokens().verify(&issued(), end + TimeDelta::days(400)),
        Err(TokenError::Expired)
    );
}

#[test]
fn a_token_without_a_session_has_expired() {
    let claims = json!({
        "iss": "rapidphoto",
        "sub": grant().user.to_string(),
        "scope": "photos:read",
        "iat": now().timestamp(),
        "exp": grant().expires_at.timestamp(),
    });
    let token = signed(&key(1), &claims);
    assert_eq!(tokens().verify(&token, now()), Err(TokenError::Expired));
}

#[test]
fn an_expired_forged_token_is_invalid_not_expired() {
    let forged = Hs256Tokens::new("rapidphoto", key(9), None)
        .issue(&grant(), now())
        .unwrap();
    assert_eq!(
        tokens().verify(&forged, now() + TimeDelta::days(1)),
        Err(TokenError::Invalid)
    );
}

#[test]
fn tokens_signed_with_another_key_are_invalid() {
    let other = Hs256Tokens::new("rapidphoto", key(9), None)
        .issue(&grant(), now())
        .unwrap();
    assert_eq!(tokens().verify(&other, now()), Err(TokenError::Invalid));

    // The same with the key ID of the right key.
    let message = format!("{}.{}", key(1).header, part(&other, 1));
    let forged = format!("{message}.{}", key(9).sign(&message));
    assert_eq!(tokens().verify(&forged, now()), Err(TokenError::Invalid));
}

#[test]
fn tokens_with_another_algorithm_are_invalid() {
    let claims = part(&issued(), 1);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"alg":"RS256","typ":"JWT"}"#,
        r#"{"typ":"JWT"}"#,
        "",
    ] {
        let message = format!("{}.{claims}", base64(header));
        for signature in [String::new(), key(1).sign(&message), part(&issued(), 2)] {
            let token = format!("{message}.{signature}");
            assert_eq!(
                tokens().verify(&token, now()),
                Err(TokenError::Invalid),
                "{header} {signature}"
            );
        }
    }
}

#[test]
fn changing_any_byte_makes_a_token_invalid() {
    let token = issued();
    for index in 0..token.len() {
        for replacement in ["A", "B", "_", ".", "=", " ", "é"] {
            let mut changed = token.clone();
            changed.replace_range(index..=index, replacement);
            if changed != token {
                assert_eq!(
                    tokens().verify(&changed, now()),
                    Err(TokenError::Invalid),
                    "{changed}"
                );
            }
        }
    }
    for changed in [
        format!("{token}="),
        format!("{token}."),
        format!(" {token}"),
        format!("{token}AA"),
    ] {
        assert_eq!(
            tokens().verify(&changed, now()),
            Err(TokenError::Invalid),
            "{changed}"
        );
    }
}

#[test]
fn malformed_tokens_are_invalid() {
    for text in ["", ".", "..", "...", "a.b.c", "Bearer", "\0", "é.é.é"] {
        assert_eq!(tokens().verify(text, now()), Err(TokenError::Invalid), "{text:?}");
    }
}

#[test]
fn a_too_long_token_is_invalid_despite_its_signature() {
    let scope = "photos:read ".repeat(500);
    let claims = json!({ "iss": "rapidphoto", "sub": grant().user.to_string(), "sid": "a5".repeat(16), "scope": scope, "iat": 0, "exp": 1_772_361_330 });
    assert_eq!(
        tokens().verify(&signed(&key(1), &claims), now()),
        Err(TokenError::Invalid)
    );
    assert_eq!(
        tokens().verify(&"a.".repeat(1_000_000), now()),
        Err(TokenError::Invalid)
    );
}

#[test]
fn tokens_with_malformed_claims_are_invalid() {
    let sub = grant().user.to_string();
    let good = json!({ "iss": "rapidphoto", "sub": sub, "sid": "a5".repeat(16), "scope": "photos:read", "iat": 0, "exp": 1_772_361_330 });
    assert!(tokens().verify(&signed(&key(1), &good), now()).is_ok());
    for (claim, value) in [
        ("iss", json!("another issuer")),
        ("iss", json!(null)),
        ("sub", json!("photo_01JQX2J4C5D6E7F8G9HJKMNPQR")),
        ("sub", json!("")),
        ("exp", json!("1772361330")),
        ("exp", json!(i64::MAX)),
        ("exp", json!(null)),
        ("scope", json!(["photos:read"])),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        assert_eq!(
            tokens().verify(&signed(&key(1), &claims), now()),
            Err(TokenError::Invalid),
            "{claims}"
        );
    }
}

#[test]
fn tokens_of_another_issuer_are_invalid() {
    let foreign = Hs256Tokens::new("another issuer", key(1), None)
        .issue(&grant(), now())
        .unwrap();
    assert_eq!(tokens().verify(&foreign, now()), Err(TokenError::Invalid));
}

#[test]
fn key_rotation_keeps_old_tokens_valid() {
    let old = issued();
    let valid_until = now() + std::time::Duration::from_mins(1);
    let previous = PreviousKey {
        key: key(1),
        valid_until,
    };
    let rotated = Hs256Tokens::new("rapidphoto", key(2), Some(previous));
    assert_eq!(rotated.verify(&old, now()), Ok(grant()));

    let new = rotated.issue(&grant(), now()).unwrap();
    assert_eq!(rotated.verify(&new, now()), Ok(grant()));
    assert_eq!(
        tokens().verify(&new, now()),
        Err(TokenError::Invalid),
        "the old key alone can't verify it"
    );
    assert_ne!(part(&old, 0), part(&new, 0), "each key has its own ID");

    assert_eq!(
        rotated.verify(&old, valid_until),
        Err(TokenError::Invalid),
        "whoever knows the old key can sign tokens of any lifetime"
    );
    assert!(rotated.verify(&new, valid_until).is_ok());
    assert_ne!(key(1).id(), key(2).id());

    let without_old_key = Hs256Tokens::new("rapidphoto", key(2), None);
    assert_eq!(without_old_key.verify(&old, now()), Err(TokenError::Invalid));
}

#[test]
fn a_key_has_a_minimum_length_and_is_not_in_debug_output() {
    assert_eq!(SigningKey::new(&[1; 31]).map(|_| ()), Err(SigningKeyError));
    assert!(SigningKey::new(&[1; 32]).is_ok());
    assert!(SigningKey::new(&[1; 200]).is_ok());
    assert_eq!(format!("{:?}", key(1)), "SigningKey(…)");
    assert!(!key(1).header.contains("AQEB"));
}
