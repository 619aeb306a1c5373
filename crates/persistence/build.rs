//! The migrations are embedded in the program, so that a new one requires a rebuild.
fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
