//! Compresses the debug information of release binaries on Linux. Backtraces read it compressed.

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo passes the profile and the target to build scripts in environment variables"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|actual| actual == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--compress-debug-sections=zlib");
    }
}
