//! Nothing of Apple's SDKs is passed on, unless the pipeline file says why.

use crate::rules::content::ContentMatch;
use crate::rules::error::{Offenders, RuleError};
use crate::rules::pattern::is_name;
use crate::rules::subject::Subject;
use crate::summary::{LegalPath, LegalSummary};

/// The annotation of images that hold content of Apple's SDKs by a grant; its value is the reason.
pub(crate) const APPLE_SDK_ANNOTATION: &str = "io.github.seed-oci.legal.apple-sdk";

/// What nixpkgs has called these packages since 2015, new names first. `apple-sdk` is the one since 24.11;
/// before, there was a package for each framework.
const NAMES: &[&str] = &[
    "apple-sdk",
    "apple-sdk-*",
    "macOS-SDK*",
    "MacOSX-SDK*",
    "MacOS_SDK*",
    "iPhoneOS-SDK*",
    "iPhoneSimulator-SDK*",
    "apple-framework-*",
    "apple-private-framework-*",
    "apple-lib-*",
    "OSXPrivateSDK*",
    "MacOSX*.sdk*",
    "iPhoneOS*.sdk*",
    "CLTools_*",
    "Xcode.app",
    "Xcode_*",
];

/// The index of [`Kind::AppleSdk`](super::content::Kind::AppleSdk) among the kinds that are looked for.
pub(super) const KIND: usize = 0;

/// What is in the image by the grant; none if there is no grant.
pub(super) fn check(
    subject: &Subject<'_>,
    found: &[ContentMatch],
) -> Result<Option<LegalSummary>, RuleError> {
    let by_content = |index: u32| found.iter().find(|found| found.kind == KIND && found.path == index);
    let reason = |index: u32, name: &str| {
        // The recipe of a package is not the package.
        let is_recipe = name.as_bytes().ends_with(b".drv");
        let by_name = !is_recipe && NAMES.iter().any(|pattern| is_name(pattern, name));
        match by_content(index) {
            _ if by_name => Some("by its name".to_owned()),
            Some(found) => Some(format!("it contains `{}`", found.file.escape_debug())),
            None => None,
        }
    };
    let all = subject.paths().filter_map(|(index, path)| Some((index, reason(index, path.name())?)));
    let offenders: Vec<_> = all.map(|(index, reason)| subject.offender(index, reason)).collect();
    match &subject.pipeline.legal.apple_sdk {
        None if offenders.is_empty() => Ok(None),
        None => {
            Err(RuleError::AppleSdk { system: subject.system.to_owned(), offenders: Offenders(offenders) })
        }
        Some(reason) => Ok(Some(LegalSummary {
            system: subject.system.to_owned(),
            rule: "apple-sdk",
            reason: reason.clone(),
            paths: offenders
                .into_iter()
                .map(|offender| LegalPath {
                    store_path: offender.store_path,
                    found: offender.reason,
                    chain: offender.chain,
                })
                .collect(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_documented() {
        let page = include_str!("../../../../docs/runtime-seeds.md");
        for name in NAMES {
            assert!(page.contains(&format!("`{name}`")), "docs/runtime-seeds.md does not list `{name}`");
        }
        assert!(page.contains(APPLE_SDK_ANNOTATION));
    }
}
