//! Near names for typing errors.

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
