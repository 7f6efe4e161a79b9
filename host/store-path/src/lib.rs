//! What the text of a Nix store path says, and why a path is in a closure. Host and plugins share it, so that both call
//! a package by the same name and explain a path by the same chain.
//!
//! | part      | of `/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-openssl-3.0.14-dev` |
//! |-----------|----------------------------------------------------------------------|
//! | hash      | `0c0ffee0c0ffee0c0ffee0c0ffee0c0f`                                   |
//! | [`name`]  | `openssl-3.0.14-dev`                                                 |
//! | [`package`](package()) | `openssl`                                               |
//! | [`release`] | `openssl-3.0.14`                                                   |
//! | [`output`] | `dev`                                                               |

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests fail by panicking"))]

mod chain;
mod package;
mod path;

pub use chain::{Chain, Chains, chain_text};
pub use package::{output, package, release};
pub use path::{derivation_name, is_store_path, name};
