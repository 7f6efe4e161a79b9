//! The cause in what Nix says when it fails.

use crate::error::NixError;

/// Puts the cause first, and after it the innermost frames of the trace that are the user's.
pub(crate) fn explain(message: &str) -> String {
    const FRAMES: usize = 3;
    let (trace, cause) = message.rsplit_once("\nerror: ").unwrap_or(("", message));
    // Frames without a place, and those of `evaluate.nix` (`«string»`), say nothing to the user.
    let is_theirs = |frame: &&str| frame.starts_with('…') && frame.contains(" /nix/store/");
    let frames: Vec<&str> = trace.split("\n\n").map(str::trim).filter(is_theirs).collect();
    let innermost = frames.into_iter().rev().take(FRAMES);
    let lines = std::iter::once(cause).chain(innermost).flat_map(str::lines);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What Nix says where something does not come over the network.
const NOT_FETCHED: [&str; 3] =
    ["unable to download", "Failed to fetch git repository", "program 'git' failed with exit code"];

/// The cause in an explained message, if it is that something could not be fetched.
pub(crate) fn fetch_error(reference: &str, message: &str) -> Option<NixError> {
    let cause = message.lines().next().unwrap_or_default();
    let is_fetch = NOT_FETCHED.iter().any(|text| cause.contains(text));
    is_fetch.then(|| NixError::Fetch { reference: reference.to_owned(), message: cause.to_owned() })
}
