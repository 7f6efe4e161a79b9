//! What the user may have meant.

use seed_oci::location::as_existing_path;

/// "did you mean `…`?", where a known name is near enough to `name` to be meant.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        // A third of the letters may be wrong: more would suggest unrelated words.
        .filter(|(distance, candidate)| *distance <= candidate.len().max(name.len()).div_ceil(3))
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// What to say of a reference to a registry that failed, if there is a directory or file of that name.
pub(crate) fn path_instead(reference: &str) -> Option<String> {
    let path = as_existing_path(reference)?;
    Some(format!("`{reference}` names a registry; for the directory or file of that name, write `{path}`"))
}
