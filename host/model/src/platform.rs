//! Nix systems and OCI platforms.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An OCI platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `darwin`, …
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// Variant of the architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A Nix system that has no OCI platform here.
#[derive(Debug, thiserror::Error)]
#[error("unsupported system `{0}`; expected one of {known}", known = Platform::SYSTEMS.map(|s| s.0).join(", "))]
pub struct UnknownSystem(String);

impl Platform {
    /// Nix system, OCI operating system, OCI architecture.
    const SYSTEMS: [(&str, &str, &str); 8] = [
        ("x86_64-linux", "linux", "amd64"),
        ("aarch64-linux", "linux", "arm64"),
        ("i686-linux", "linux", "386"),
        ("powerpc64le-linux", "linux", "ppc64le"),
        ("riscv64-linux", "linux", "riscv64"),
        ("s390x-linux", "linux", "s390x"),
        ("aarch64-darwin", "darwin", "arm64"),
        ("x86_64-darwin", "darwin", "amd64"),
    ];

    /// The platform of a Nix system such as `x86_64-linux`.
    pub fn of_system(system: &str) -> Result<Self, UnknownSystem> {
        Self::SYSTEMS
            .iter()
            .find(|(name, _, _)| *name == system)
            .map(|(_, os, architecture)| Self {
                os: (*os).to_owned(),
                architecture: (*architecture).to_owned(),
                variant: None,
            })
            .ok_or_else(|| UnknownSystem(system.to_owned()))
    }

    /// The Nix system of the machine that this program was built for.
    pub fn host_system() -> String {
        let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
        let architecture = match std::env::consts::ARCH {
            "x86" => "i686",
            "powerpc64" => "powerpc64le",
            other => other,
        };
        format!("{architecture}-{os}")
    }
}

/// What one image is made for: a Nix system, and the OCI platform that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The Nix system, such as `x86_64-linux`.
    pub system: String,
    /// The same as an OCI platform, such as `linux/amd64`.
    pub platform: Platform,
}

impl Target {
    /// The target of a Nix system such as `x86_64-linux`.
    pub fn of_system(system: &str) -> Result<Self, UnknownSystem> {
        Ok(Self { system: system.to_owned(), platform: Platform::of_system(system)? })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}
