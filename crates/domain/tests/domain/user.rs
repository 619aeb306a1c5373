//! Registration and disabling of a user.

use rapidphoto_domain::user::{AlreadyDisabled, FoldError, User, UserEvent, UserStatus};

use crate::fixtures::USER;

#[test]
fn an_account_is_disabled_once() {
    let registered = User::register(USER);
    let user = User::fold([&registered]).unwrap();
    assert_eq!(
        user,
        User {
            id: USER,
            status: UserStatus::Active
        }
    );

    let disabled = user.disable().unwrap();
    assert_eq!(disabled, UserEvent::UserDisabled {});

    let user = user.apply(&disabled);
    assert_eq!(user.status, UserStatus::Disabled);
    assert_eq!(user.disable(), Err(AlreadyDisabled));
    assert_eq!(User::fold([&registered, &disabled]), Ok(user.clone()));
    assert_eq!(
        user.clone().apply(&registered),
        user,
        "a second registration changes nothing"
    );
}

#[test]
fn a_stream_must_begin_with_the_registration() {
    assert_eq!(User::fold([]), Err(FoldError));
    assert_eq!(User::fold([&UserEvent::UserDisabled {}]), Err(FoldError));
}
