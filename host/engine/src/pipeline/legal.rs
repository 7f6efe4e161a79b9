//! `[legal]`: grants for what an image must not hold otherwise.

use seed_report::Problem;

use crate::pipeline::model::Legal;
use crate::pipeline::reader::{Section, invalid};

/// The longest reason in bytes: it goes into an annotation.
const MAX_REASON: usize = 1024;

/// The fewest letters that can say why.
const MIN_REASON: usize = 10;

pub(super) fn read(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> Legal {
    let Some(mut section) = root.table("legal", "[legal]", problems) else { return Legal::default() };
    let reason = section.string("apple-sdk", problems);
    section.finish(problems);
    let Some(reason) = reason else { return Legal::default() };
    let text = reason.get_ref().trim();
    let says_why = text.chars().filter(|c| c.is_alphanumeric()).count() >= MIN_REASON;
    if !says_why || text.len() > MAX_REASON || text.chars().any(char::is_control) {
        problems.push(invalid(
            "`apple-sdk` must give a reason why the image may contain parts of Apple's SDKs",
            reason.span(),
            format!(
                "write the reason in one line of at most {MAX_REASON} bytes, such as \"stays on our own \
                 Macs, see LEGAL-17\"; each run shows it, and the image records it"
            ),
        ));
    }
    Legal { apple_sdk: Some(text.to_owned()) }
}
