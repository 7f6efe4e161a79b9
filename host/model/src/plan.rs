//! Plans: the decision of the selection stage (`selection.wit`, interface `plan`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;

/// What an [`Entry`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A symbolic link with this target.
    Symlink(String),
    /// A regular file with these bytes.
    File(Vec<u8>),
    /// A regular file with [the registration of all store paths](crate::closure::Closure::registration).
    Registration,
}

/// A file system entry that is in no store path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Absolute path.
    pub path: String,
    /// Directory, link or file, with its content.
    pub kind: EntryKind,
    /// Permission bits, such as `0o755`.
    pub mode: u32,
    /// The number of its owner.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

/// A layer of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Layer {
    /// The standard or declared layer that it belongs to.
    pub name: String,
    /// Indices into the closure's paths, in packing order.
    pub paths: Vec<u32>,
    /// Entries outside the store.
    pub entries: Vec<Entry>,
}

/// What a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageConfig {
    /// Fixed part of the command.
    pub entrypoint: Vec<String>,
    /// Default arguments.
    pub cmd: Vec<String>,
    /// `NAME=value`, each name once.
    pub env: Vec<String>,
    /// User, or `user:group`, by name or number.
    pub user: Option<String>,
    /// The directory in which the command starts.
    pub working_dir: Option<String>,
    /// Labels of the image configuration.
    pub labels: BTreeMap<String, String>,
    /// Ports, such as `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// Paths that are volumes.
    pub volumes: Vec<String>,
    /// Signal that stops the container, such as `SIGTERM`.
    pub stop_signal: Option<String>,
}

/// What a selector decides: the layers and the configuration of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImagePlan {
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// What the image runs.
    pub config: ImageConfig,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Notes for the user.
    pub notes: Vec<Diagnostic>,
}
