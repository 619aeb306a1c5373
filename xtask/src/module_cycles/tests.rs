use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::cycles_in;

/// The cycles of a crate with these files, each as its line of modules; the first file is the root.
fn cycles(files: &[(&str, &str)]) -> Vec<String> {
    reports(files)
        .iter()
        .map(|report| report.lines().next().unwrap().to_owned())
        .collect()
}

fn reports(files: &[(&str, &str)]) -> Vec<String> {
    let texts: BTreeMap<&Path, &str> = files
        .iter()
        .map(|(path, text)| (Path::new(*path), *text))
        .collect();
    let read = |path: &Path| {
        texts
            .get(path)
            .map(|text| (*text).to_owned())
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let (root, _) = files.first().unwrap();
    cycles_in(Path::new(root), &read)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect()
}

const NONE: [&str; 0] = [];

#[test]
fn modules_that_use_each_other_in_one_direction_are_no_cycle() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b; pub use b::B;"),
        ("src/a.rs", "pub struct A;"),
        ("src/b.rs", "use crate::a::A; pub struct B(A);"),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn a_cycle_of_two_is_reported_with_files_and_lines() {
    let found = reports(&[
        ("src/lib.rs", "mod call; mod limits;"),
        (
            "src/call.rs",
            "//! Calls.\n\nuse crate::limits::Limit;\npub struct Call(Limit);",
        ),
        (
            "src/limits.rs",
            "pub struct Limit;\nfn check(_: super::call::Call) {}",
        ),
    ]);
    assert_eq!(
        found,
        [
            "call -> limits -> call\n    src/call.rs:3: crate::limits::Limit\n    src/limits.rs:2: super::call::Call"
        ]
    );
}

#[test]
fn a_cycle_of_three_is_found() {
    let found = cycles(&[
        ("src/main.rs", "mod a; mod b; mod c; fn main() {}"),
        (
            "src/a.rs",
            "pub struct A; fn f() { let _ = crate::b::B { b: 1 }; }",
        ),
        (
            "src/b.rs",
            "use std::fmt; use super::{c::{C as Other}}; pub struct B { b: u8 }",
        ),
        (
            "src/c.rs",
            "pub enum C {} fn f() { println!(\"{:?}\", crate::a::A); }",
        ),
    ]);
    assert_eq!(found, ["a -> b -> c -> a"]);
}

#[test]
fn a_re_export_stands_for_the_file_that_defines_the_item() {
    let facade = "mod parts; mod whole; pub use parts::*; pub(crate) use self::whole::Whole as All;";
    let found = cycles(&[
        ("src/lib.rs", "mod facade; mod user;"),
        ("src/facade/mod.rs", facade),
        ("src/facade/parts.rs", "pub struct Part;"),
        (
            "src/facade/whole.rs",
            "use crate::user::User; pub struct Whole(User);",
        ),
        ("src/user.rs", "use crate::facade::Part; pub struct User(Part);"),
    ]);
    assert_eq!(found, NONE);
    let found = cycles(&[
        ("src/lib.rs", "mod facade; mod user;"),
        ("src/facade/mod.rs", facade),
        ("src/facade/parts.rs", "pub struct Part;"),
        (
            "src/facade/whole.rs",
            "use crate::user::User; pub struct Whole(User);",
        ),
        ("src/user.rs", "use crate::facade; pub struct User(facade::All);"),
    ]);
    assert_eq!(found, ["facade::whole -> user -> facade::whole"]);
}

#[test]
fn a_parent_and_a_child_are_a_cycle_if_both_use_each_other() {
    let with_parent = |code: &str| {
        cycles(&[
            ("src/lib.rs", "mod parent;"),
            (
                "src/parent.rs",
                &format!("mod child; pub(crate) use child::Child; pub struct Parent; {code}"),
            ),
            (
                "src/parent/child.rs",
                "use super::Parent; pub struct Child(Parent);",
            ),
        ])
    };
    assert_eq!(with_parent(""), NONE);
    let cycle = ["parent -> parent::child -> parent"];
    assert_eq!(with_parent("fn f(_: Child) {}"), cycle);
    assert_eq!(with_parent("fn f() { child::g() }"), cycle);
    assert_eq!(with_parent("use child::Other;"), cycle);
}

#[test]
fn a_glob_import_is_a_dependency_on_its_module() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::*; pub struct A;"),
        ("src/b.rs", "use crate::a::A; pub struct B(A);"),
    ]);
    assert_eq!(found, ["a -> b -> a"]);
}

#[test]
fn an_item_of_another_crate_counts_as_defined_where_it_is_imported() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; use bytes::Bytes; fn f() { a::g() }"),
        ("src/a.rs", "use crate::Bytes; pub fn g() {}"),
    ]);
    assert_eq!(found, ["crate -> a -> crate"]);
}

#[test]
fn an_item_that_a_macro_defines_counts_as_defined_where_it_is_named() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "identifier!(Id); fn f() { crate::b::g(); }"),
        ("src/b.rs", "use crate::a::Id; pub fn g() {}"),
    ]);
    assert_eq!(found, ["a -> b -> a"]);
}

#[test]
fn importing_a_module_alone_is_no_dependency_on_it() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b; pub struct A;"),
        ("src/b.rs", "use crate::a::{self, A}; fn f() -> a::A { A }"),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn test_code_is_ignored() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b; #[cfg(test)] mod missing;"),
        (
            "src/a.rs",
            "pub struct A; #[cfg(test)] mod tests { use super::*; use crate::b::B; }
             #[cfg(all(test, unix))] use crate::b::B;
             impl A { #[cfg(test)] fn b() -> crate::b::B { todo!() } }",
        ),
        ("src/b.rs", "use crate::a::A; pub struct B(A);"),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn an_inline_module_belongs_to_its_file() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b;"),
        (
            "src/a.rs",
            "pub mod inner { use super::A; use crate::b::B; } pub struct A;",
        ),
        ("src/b.rs", "pub struct B; fn f(_: crate::a::inner::C) {}"),
    ]);
    assert_eq!(found, ["a -> b -> a"]);
}

#[test]
fn cycles_without_a_common_dependency_are_all_reported() {
    let found = cycles(&[
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::{b::B, c::C}; pub struct A;"),
        ("src/b.rs", "use crate::a::A; pub struct B;"),
        ("src/c.rs", "use crate::a::A; pub struct C;"),
    ]);
    assert_eq!(found, ["a -> b -> a", "a -> c -> a"]);
}

#[test]
fn an_import_that_leads_to_itself_ends() {
    let found = cycles(&[(
        "src/lib.rs",
        "use log::log; use self::x::*; mod x { pub use super::*; } fn f() { log::y(); }",
    )]);
    assert_eq!(found, NONE);
}
