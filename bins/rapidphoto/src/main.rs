//! rapidphoto
fn main() {}
