//! Helpers of this crate's tests.

use std::path::PathBuf;

use crate::problem::{Problem, Problems, SourceFile};

/// The same problem `count` times.
pub(crate) fn problems(count: usize) -> Problems {
    let text = "schema = 1\n\n[select]\nplugn = \"builtin:standard-layers\"\n";
    let file = SourceFile { path: PathBuf::from("pipeline.toml"), text: text.into() };
    let problem = Problem {
        code: "seed::pipeline::unknown-key".into(),
        message: "unknown key `plugn` in `[select]`".into(),
        label: "not a key of `[select]`".into(),
        span: Some(21..26),
        help: Some("did you mean `plugin`?".into()),
    };
    Problems::check(&file, vec![problem; count]).unwrap_err()
}
