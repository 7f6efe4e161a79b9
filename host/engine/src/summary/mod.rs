//! What commands give back, as data. `schema` counts incompatible changes of the JSON form.

pub mod inspect;
mod legal;
mod plan;
mod plugin;
mod pull;
mod run;
pub mod verify;
mod why_depends;

pub use legal::{LegalPath, LegalSummary};
pub use plan::{PlanSummary, PlannedImage, PlannedLayer, PlannedPath};
pub use plugin::{PluginIdentity, PluginSummary};
pub use pull::PullSummary;
pub use run::{
    ImageSummary, LayerSummary, LockState, PublishedSummary, RecordedLayer, RunSummary, SignatureSummary,
};
pub use why_depends::{WhyImage, WhyPath, WhySummary};

/// The version of every summary's JSON form.
pub const SCHEMA: u32 = 1;
