//! What all four kinds of plugin have in common: a description, a typed configuration, and panics that reach the user.

use std::marker::PhantomData;
use std::panic;
use std::sync::Once;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bindings::description::exports::seed::pipeline::plugin as exports;
use crate::bindings::imports::seed::pipeline::log as host_log;
use crate::bindings::imports::seed::pipeline::types::{Diagnostic, StageError};

/// What a component says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Lower-case name, such as `cosign-signer`.
    pub name: &'static str,
    /// Semantic version.
    pub version: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// JSON Schema (draft 2020-12) of the configuration, as JSON text.
    pub config_schema: &'static str,
}

/// Makes an [`About`] from the name, version and description in the crate's `Cargo.toml` and a JSON Schema (an
/// expression of type `&'static str`, usually `include_str!("config.schema.json")`).
#[macro_export]
macro_rules! about {
    ($config_schema:expr) => {
        $crate::About {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            summary: env!("CARGO_PKG_DESCRIPTION"),
            config_schema: $config_schema,
        }
    };
}

/// What every plugin states, whatever its stage.
pub trait Plugin {
    /// The plugin's `config` table in the pipeline file. Give each key a default: a pipeline without `config` passes `{}`.
    type Config: DeserializeOwned;

    /// Name, version, summary and the schema of the configuration.
    const ABOUT: About;
}

/// For plugins without configuration.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// The schema of [`NoConfig`].
pub const NO_CONFIG_SCHEMA: &str = r#"{"type":"object","additionalProperties":false}"#;

/// Reads the configuration. The host has checked it against the schema, so a failure here means that schema and
/// type disagree.
pub(crate) fn parse_config<C: DeserializeOwned>(config: &str) -> Result<C, StageError> {
    serde_json::from_str(config).map_err(|error| {
        Diagnostic::error("plugin::config", &format!("invalid configuration: {error}")).into()
    })
}

/// Sends panic messages to the log before the component aborts; otherwise the user would see a bare trap.
pub(crate) fn install_panic_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| host_log::log(host_log::Level::Error, &info.to_string())));
    });
}

/// Glue between the exports of a world and a plugin; used by the `export_*!` macros.
#[doc(hidden)]
#[derive(Debug)]
pub struct Component<P>(PhantomData<P>);

impl<P: Plugin> exports::Guest for Component<P> {
    fn describe() -> exports::Description {
        install_panic_hook();
        let about = P::ABOUT;
        exports::Description {
            name: about.name.to_owned(),
            version: about.version.to_owned(),
            summary: about.summary.to_owned(),
            config_schema: about.config_schema.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_configuration_of_another_form() {
        let error = parse_config::<NoConfig>(r#"{"colour":1}"#).unwrap_err();
        let StageError::Config(diagnostics) = error else { panic!("{error:?}") };
        assert!(diagnostics[0].message.contains("unknown field `colour`"), "{}", diagnostics[0].message);
        parse_config::<NoConfig>("{}").unwrap();
    }
}
