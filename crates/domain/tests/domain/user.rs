//! Registration of a user and changes by an administrator.

use rapidphoto_domain::user::{FoldError, User, UserCommand, UserEvent, UserIsDeleted, UserStatus};

use crate::fixtures::USER;

#[test]
fn an_account_is_disabled_once() {
    let registered = User::register(USER);
    let user = User::fold([&registered]).unwrap();
    assert_eq!(
        user,
        User {
            id: USER,
            status: UserStatus::Active,
            is_admin: false,
        }
    );

    let disabled = user.decide(UserCommand::Disable).unwrap().unwrap();
    assert_eq!(disabled, UserEvent::UserDisabled {});

    let user = user.apply(&disabled);
    assert_eq!(user.status, UserStatus::Disabled);
    assert_eq!(user.decide(UserCommand::Disable), Ok(None));
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

#[test]
fn a_disabled_account_can_be_enabled_again() {
    let user = User::fold([&User::register(USER)]).unwrap();
    assert_eq!(user.decide(UserCommand::Enable), Ok(None));
    let disabled = user.apply(&UserEvent::UserDisabled {});
    let enabled = disabled.decide(UserCommand::Enable).unwrap().unwrap();
    assert_eq!(disabled.apply(&enabled).status, UserStatus::Active);
}

#[test]
fn an_administrator_is_appointed_once() {
    let user = User::fold([&User::register(USER)]).unwrap();
    let granted = user.decide(UserCommand::GrantAdmin).unwrap().unwrap();
    let admin = user.apply(&granted);
    assert!(admin.is_admin);
    assert_eq!(admin.decide(UserCommand::GrantAdmin), Ok(None));
}

#[test]
fn a_deleted_account_stays_deleted() {
    for before in [
        None,
        Some(UserEvent::UserDisabled {}),
        Some(UserEvent::UserAdminGranted {}),
    ] {
        let user = User::fold([User::register(USER)].iter().chain(before.as_ref())).unwrap();
        let event = user.decide(UserCommand::Delete).unwrap().unwrap();
        let deleted = user.apply(&event);
        assert_eq!(deleted.status, UserStatus::Deleted);
        assert_eq!(deleted.decide(UserCommand::Delete), Ok(None));
        for command in [UserCommand::Enable, UserCommand::Disable, UserCommand::GrantAdmin] {
            assert_eq!(deleted.decide(command), Err(UserIsDeleted));
        }
    }
}
