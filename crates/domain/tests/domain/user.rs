//! A user's account opens once and closes once.

use rapidphoto_domain::user::{AlreadyDisabled, FoldError, User, UserEvent, UserStatus};

use crate::given::USER;

#[test]
fn an_account_is_closed_once() {
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
        "a second beginning changes nothing"
    );
}

#[test]
fn a_stream_that_does_not_begin_with_the_registration_makes_no_user() {
    assert_eq!(User::fold([]), Err(FoldError));
    assert_eq!(User::fold([&UserEvent::UserDisabled {}]), Err(FoldError));
}
