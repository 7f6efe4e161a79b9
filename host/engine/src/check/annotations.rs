//! Annotations that say what the host knows of an image: no plugin chooses them.

use seed_model::{ImagePlan, Variant};

use crate::check::error::PlanError;

/// How the names of the host's own annotations begin.
const PREFIX: &str = "io.github.seed-oci.";

/// The annotation of build seeds, which the selection plugin writes; `seed cache pull` looks for it.
const VARIANT: (&str, &str) = ("io.github.seed-oci.variant", "build");

/// The annotation of images that may have layers that the host could not read; its value is their media types, with
/// commas between them.
pub(crate) const UNVERIFIED_ANNOTATION: &str = "io.github.seed-oci.unverified-layers";

/// Refuses a plan for an image of this variant that speaks for the host.
pub(crate) fn check_annotations(plan: &ImagePlan, variant: Variant) -> Result<(), PlanError> {
    let is_true = |name: &str, value: &str| variant == Variant::Build && (name, value) == VARIANT;
    let mut reserved = plan.annotations.iter().filter(|(name, _)| name.to_lowercase().starts_with(PREFIX));
    match reserved.find(|(name, value)| !is_true(name, value)) {
        None => Ok(()),
        Some((name, _)) => Err(PlanError::Annotation { name: name.escape_debug().to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_does_not_speak_for_the_host() {
        let check = |name: &str, value: &str, variant| {
            let annotations = [(name.to_owned(), value.to_owned())].into();
            check_annotations(&ImagePlan { annotations, ..ImagePlan::default() }, variant).is_ok()
        };
        assert!(check("org.opencontainers.image.title", "hello", Variant::Runtime));
        assert!(check(VARIANT.0, "build", Variant::Build));
        assert!(!check(VARIANT.0, "build", Variant::Runtime));
        assert!(!check(VARIANT.0, "other", Variant::Build));
        for name in [UNVERIFIED_ANNOTATION, crate::rules::APPLE_SDK_ANNOTATION, "IO.github.seed-oci.layer"] {
            assert!(!check(name, "", Variant::Build), "{name}");
        }
    }
}
