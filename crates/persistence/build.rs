//! The migrations are part of the program: a new one means to build it again.
fn main() {
    println!("cargo::rerun-if-changed=../../migrations/sqlite");
}
