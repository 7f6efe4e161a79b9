//! Names of layers, which every kind of source has.

use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::reader::invalid;

/// The longest name of a layer: it goes into annotations and tables.
const MAX_LAYER_NAME: usize = 64;

/// Refuses what cannot be the name of a layer.
pub(super) fn layer_name(name: &Spanned<String>, problems: &mut Vec<Problem>) {
    let text = name.get_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || text.len() > MAX_LAYER_NAME || !text.chars().all(plain) {
        problems.push(invalid(
            format!("invalid layer name `{}`", text.escape_debug()),
            name.span(),
            format!("use at most {MAX_LAYER_NAME} letters, digits, `-`, `_` and `.`"),
        ));
    }
}
