//! The `seed` command.
fn main() {}
