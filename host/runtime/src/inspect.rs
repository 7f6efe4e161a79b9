//! What a component is, read from its bytes without compiling or running it.

use seed_model::{Digest, Stage};
use semver::Version;
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;

use crate::imports::imports;
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::text::printable;

/// The package of the contract.
const PACKAGE: &str = "seed:pipeline";

/// The newest version of the contract that this program has. It runs components of this `0.MINOR` (or, from 1.0
/// on, of this major version) that are not newer.
pub const CONTRACT: Version = Version::new(0, 1, 0);

/// The packages of WASI 0.2 that are there for components of other toolchains, closed.
const WASI: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// How many names a message lists.
const LISTED: usize = 10;

/// What a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Number of its bytes.
    pub size: u64,
    /// The stage whose world it targets.
    pub stage: Stage,
    /// The version of the contract that it was built against.
    pub contract: Version,
    /// Names of its imports, sorted.
    pub imports: Vec<String>,
    /// Names of its exports, sorted.
    pub exports: Vec<String>,
}

/// Why bytes are no component that this program can run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// Larger than the limit.
    #[error(transparent)]
    TooLarge(LimitExceeded),
    /// Machine code: a component that wasmtime compiled, or a native program.
    #[error("this is compiled machine code, which `seed` does not accept as a plugin")]
    Precompiled,
    /// Not WebAssembly.
    #[error("this is not a WebAssembly component: the WebAssembly header is missing")]
    NotWasm,
    /// A module.
    #[error("this is a core WebAssembly module, not a component")]
    CoreModule,
    /// A broken component.
    #[error("this WebAssembly component is malformed: {0}")]
    Malformed(String),
    /// A component of some other kind.
    #[error("this component does not implement a pipeline stage: it exports {exports}")]
    NoStage {
        /// What it exports.
        exports: String,
    },
    /// A component that has not all exports of its world, or those of several.
    #[error("this component does not target a single world of {PACKAGE}: it exports {exports}")]
    Ambiguous {
        /// What it exports.
        exports: String,
    },
    /// Built against a newer contract.
    #[error("this component requires `{interface}`, but this `seed` supports {PACKAGE} up to {CONTRACT}")]
    Newer {
        /// The interface with its version.
        interface: String,
    },
    /// Built against a contract that is no longer there.
    #[error("this component was built for `{interface}`, but this `seed` supports {PACKAGE} {oldest} to {CONTRACT}", oldest = oldest())]
    Older {
        /// The interface with its version, if it has one.
        interface: String,
    },
    /// Imports that its world does not have.
    #[error("this component has imports that the world `{}` does not provide: {imports}", stage.world())]
    UnknownImports {
        stage: Stage,
        imports: String,
        /// Whether one is WASI's HTTP.
        http: bool,
    },
}

impl ComponentError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::TooLarge(exceeded) => exceeded.help(),
            Self::Precompiled => {
                "name the component's `.wasm` file; `seed` compiles it and caches the result"
                    .to_owned()
            }
            Self::NotWasm | Self::Malformed(_) => {
                "name a component's `.wasm` file; the download may have been interrupted".to_owned()
            }
            Self::CoreModule => {
                "run `wasm-tools component new MODULE -o COMPONENT` to make it a component, or `seed plugin build`"
                    .to_owned()
            }
            Self::NoStage { .. } | Self::Ambiguous { .. } => format!(
                "export `{PACKAGE}/plugin@{CONTRACT}` and one of {}",
                Stage::ALL.map(|stage| format!("`{}`", stage.interface())).join(", ")
            ),
            Self::Newer { .. } => "upgrade `seed`, or use an older version of the plugin".to_owned(),
            Self::Older { .. } => {
                "use a newer version of the plugin, or rebuild it with the current SDK".to_owned()
            }
            Self::UnknownImports { stage, http: true, .. } => format!(
                "use `{PACKAGE}/http`, the only network access for plugins, in the worlds `signer` and \
                 `publisher`, and name the origins with `grants = {{ http = [\"https://HOST\"] }}` in `{}`; if the toolchain adds `wasi:http` by itself, turn that off (ComponentizeJS: `--disable http`)",
                stage.table()
            ),
            Self::UnknownImports { stage, .. } => format!(
                "build it against the world `{}` of {PACKAGE}@{CONTRACT}; WASI 0.2 is available without \
                 files, network and environment",
                stage.world()
            ),
        })
    }
}

/// Reads what a component is. Checks all that can be said without compiling it: its kind, its world, the version
/// of the contract, its imports.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection, ComponentError> {
    let size = bytes.len() as u64;
    if size > limits.component_size {
        return Err(ComponentError::TooLarge(limits.exceeded(Limit::ComponentSize)));
    }
    if Engine::detect_precompiled(bytes).is_some() || bytes.starts_with(b"\x7fELF") {
        return Err(ComponentError::Precompiled);
    }
    let (mut imports, mut exports) = names(bytes)?;
    imports.sort_unstable();
    exports.sort_unstable();

    let mut contract = Version::new(0, 0, 0);
    for name in imports.iter().chain(&exports) {
        if let Some(interface) = Interface::parse(name).filter(|interface| interface.package == PACKAGE) {
            contract = contract.max(interface.check(name)?);
        }
    }
    let stage = stage(&exports)?;
    let unknown: Vec<&String> = imports.iter().filter(|name| !is_importable(name, stage)).collect();
    if !unknown.is_empty() {
        return Err(ComponentError::UnknownImports {
            stage,
            http: unknown.iter().any(|name| name.starts_with("wasi:http/")),
            imports: list(&unknown),
        });
    }
    Ok(Inspection { digest: Digest::of(bytes), size, stage, contract, imports, exports })
}

/// The names of the imports and exports of a component.
fn names(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), ComponentError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(ComponentError::NotWasm);
    }
    let malformed =
        |error: wasmparser::BinaryReaderError| ComponentError::Malformed(printable(&error.to_string(), 200));
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    // How many components and modules the parser is inside of.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(ComponentError::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth = depth.saturating_add(1);
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

/// The stage whose world has these exports.
fn stage(exports: &[String]) -> Result<Stage, ComponentError> {
    let has = |name: &str| {
        exports
            .iter()
            .filter_map(|export| Interface::parse(export))
            .any(|interface| interface.package == PACKAGE && interface.name == name)
    };
    let stages: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| has(stage.interface())).collect();
    match stages.as_slice() {
        [] => Err(ComponentError::NoStage { exports: list(exports) }),
        [stage] if has("plugin") => Ok(*stage),
        _ => Err(ComponentError::Ambiguous { exports: list(exports) }),
    }
}

/// Whether the world of `stage` has an import of this name, or it is a part of WASI that is there, closed.
fn is_importable(name: &str, stage: Stage) -> bool {
    Interface::parse(name).is_some_and(|interface| {
        if interface.package == PACKAGE {
            return imports(stage).contains(&interface.name);
        }
        let version = interface.version.and_then(|version| Version::parse(version).ok());
        interface.package.strip_prefix("wasi:").is_some_and(|package| WASI.contains(&package))
            && version.is_some_and(|version| (version.major, version.minor) == (0, 2))
    })
}

/// A name such as `seed:pipeline/log@0.1.0`, in parts.
#[derive(Clone, Copy)]
struct Interface<'a> {
    package: &'a str,
    name: &'a str,
    version: Option<&'a str>,
}

impl<'a> Interface<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (package, rest) = name.split_once('/')?;
        let (name, version) =
            rest.split_once('@').map_or((rest, None), |(name, version)| (name, Some(version)));
        Some(Self { package, name, version })
    }

    /// The version of an interface of the contract, if this program has it.
    fn check(self, name: &str) -> Result<Version, ComponentError> {
        let interface = || printable(name, 120);
        let Some(version) = self.version.and_then(|version| Version::parse(version).ok()) else {
            return Err(ComponentError::Older { interface: interface() });
        };
        if version > CONTRACT {
            Err(ComponentError::Newer { interface: interface() })
        } else if version < oldest() {
            Err(ComponentError::Older { interface: interface() })
        } else {
            Ok(version)
        }
    }
}

/// The oldest version that can do what [`CONTRACT`] can: the first of the same `0.MINOR` or major version.
fn oldest() -> Version {
    if CONTRACT.major == 0 { Version::new(0, CONTRACT.minor, 0) } else { Version::new(CONTRACT.major, 0, 0) }
}

/// Names for a message.
fn list(names: &[impl AsRef<str>]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<String> =
        names.iter().take(LISTED).map(|name| format!("`{}`", printable(name.as_ref(), 120))).collect();
    let more = names.len().saturating_sub(LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}
