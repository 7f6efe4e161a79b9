//! What one call of a component may use, and how a limit that was hit is told.

use std::fmt;

use serde::Deserialize;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Limits on a component. All but the first four hold for one call: each call has a store of its own.
///
/// The keys are those of `[limits]` in the pipeline file. Sizes are in bytes, times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Size of a component's file. 64 MiB: interpreters compiled to a component have about 20 MiB.
    pub component_size: u64,
    /// Seconds that compiling a component may take. 120: an interpreter takes about ten on one core.
    pub compile_time: u64,
    /// Memory that compiling a component may take, where a process of its own compiles it. 2 GiB: an interpreter takes
    /// about half of it.
    pub compile_memory: u64,
    /// Size of the WebAssembly stack. 1 MiB: the default of most toolchains. At most 1 GiB counts.
    pub stack: u64,
    /// Linear memory, all memories of a component together. 512 MiB: a plan for a hundred thousand paths
    /// needs a tenth.
    pub memory: u64,
    /// Table elements, all tables together. 1,000,000 take 8 MiB of the host.
    pub table_elements: u64,
    /// Core instances, and as many memories and tables. 256: components linked from parts have some tens.
    pub instances: u64,
    /// Live handles: resources that the component holds of the host, and its own. 4,096.
    pub handles: u64,
    /// Layer readers and blob writers that are open at a time. 16: each takes a thread and some chunks of 4 MiB, or a file.
    pub streams: u64,
    /// Fuel of a deterministic call, about one unit for each instruction. What the host does for it costs as much again
    /// at most: a unit for each byte that is handed over, and more for what takes longer. 50,000,000,000: half a minute
    /// to a minute. The count, unlike a time, gives the same result on every machine.
    pub fuel: u64,
    /// Seconds that a signing or publishing call may take, with what the host does for it; only waiting for HTTP and for
    /// files that are written does not count. 60. A deterministic call, packing excepted, ends after ten times as many:
    /// fuel does not see how many bytes an instruction fills.
    pub time: u64,
    /// Bytes that a component may hand to the host in one call or result. 32 MiB.
    pub output_size: u64,
    /// Bytes of log messages, standard output and standard error. 1 MiB; what is beyond is dropped.
    pub log_size: u64,
    /// Calls to the host, those of WASI included. 1,000,000.
    pub host_calls: u64,
    /// HTTP requests. 10,000: an image of 127 layers needs some hundreds.
    pub http_requests: u64,
    /// Bytes that a component may have the host read and write: blobs, layers that are packed or read, files, bodies of
    /// requests. 64 GiB.
    pub blob_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_size: 64 * MIB,
            compile_time: 120,
            compile_memory: 2 * GIB,
            stack: MIB,
            memory: 512 * MIB,
            table_elements: 1_000_000,
            instances: 256,
            handles: 4_096,
            streams: 16,
            fuel: 50_000_000_000,
            time: 60,
            output_size: 32 * MIB,
            log_size: MIB,
            host_calls: 1_000_000,
            http_requests: 10_000,
            blob_bytes: 64 * GIB,
        }
    }
}

impl Limits {
    /// The error for a limit that was hit.
    pub(crate) fn exceeded(&self, limit: Limit) -> LimitExceeded {
        let allowed = match limit {
            Limit::ComponentSize => self.component_size,
            Limit::CompileTime => self.compile_time,
            Limit::CompileMemory => self.compile_memory,
            Limit::Stack => self.stack,
            Limit::Memory => self.memory,
            Limit::TableElements => self.table_elements,
            Limit::Instances => self.instances,
            Limit::Handles => self.handles,
            Limit::Streams => self.streams,
            Limit::Fuel => self.fuel,
            Limit::Time => self.time,
            Limit::OutputSize => self.output_size,
            Limit::HostCalls => self.host_calls,
            Limit::HttpRequests => self.http_requests,
            Limit::BlobBytes => self.blob_bytes,
        };
        LimitExceeded { limit, allowed }
    }
}

/// Which limit was hit. The log's is not here: messages beyond it are dropped, and the call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::component_size`]
    ComponentSize,
    /// [`Limits::compile_time`]
    CompileTime,
    /// [`Limits::compile_memory`]
    CompileMemory,
    /// [`Limits::stack`]
    Stack,
    /// [`Limits::memory`]
    Memory,
    /// [`Limits::table_elements`]
    TableElements,
    /// [`Limits::instances`]
    Instances,
    /// [`Limits::handles`]
    Handles,
    /// [`Limits::streams`]
    Streams,
    /// [`Limits::fuel`]
    Fuel,
    /// [`Limits::time`]
    Time,
    /// [`Limits::output_size`]
    OutputSize,
    /// [`Limits::host_calls`]
    HostCalls,
    /// [`Limits::http_requests`]
    HttpRequests,
    /// [`Limits::blob_bytes`]
    BlobBytes,
}

impl Limit {
    /// The limit's key in the pipeline file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ComponentSize => "component-size",
            Self::CompileTime => "compile-time",
            Self::CompileMemory => "compile-memory",
            Self::Stack => "stack",
            Self::Memory => "memory",
            Self::TableElements => "table-elements",
            Self::Instances => "instances",
            Self::Handles => "handles",
            Self::Streams => "streams",
            Self::Fuel => "fuel",
            Self::Time => "time",
            Self::OutputSize => "output-size",
            Self::HostCalls => "host-calls",
            Self::HttpRequests => "http-requests",
            Self::BlobBytes => "blob-bytes",
        }
    }
}

/// A limit that was hit, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitExceeded {
    pub limit: Limit,
    /// What it allows, in its own unit.
    pub allowed: u64,
}

impl LimitExceeded {
    /// How to raise it.
    pub fn help(&self) -> String {
        format!(
            "if you trust the plugin and it needs more, set `{} = N` in `[limits]` in the pipeline file (now {})",
            self.limit.key(),
            self.allowed
        )
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.allowed;
        let size = Size(allowed);
        match self.limit {
            Limit::ComponentSize => write!(f, "the component is larger than {size}"),
            Limit::CompileTime => write!(f, "compiling the component took longer than {allowed} s"),
            Limit::CompileMemory => write!(f, "compiling the component took more than {size} of memory"),
            Limit::Stack => {
                write!(f, "the call stack exceeded {size}, perhaps because of infinite recursion")
            }
            Limit::Memory => write!(f, "it requested more than {size} of memory"),
            Limit::TableElements => write!(f, "it requested more than {allowed} table elements"),
            Limit::Instances => write!(f, "it has more than {allowed} core instances, memories or tables"),
            Limit::Handles => write!(f, "it held more than {allowed} handles at a time"),
            Limit::Streams => {
                write!(f, "it had more than {allowed} layer readers and blob writers open at a time")
            }
            Limit::Fuel => {
                write!(f, "it used more than {allowed} units of fuel, perhaps in an infinite loop")
            }
            Limit::Time => write!(f, "it ran for longer than {allowed} s, perhaps in an infinite loop"),
            Limit::OutputSize => write!(f, "it passed more than {size} to the host in one call"),
            Limit::HostCalls => write!(f, "it called the host more than {allowed} times"),
            Limit::HttpRequests => write!(f, "it made more than {allowed} HTTP requests"),
            Limit::BlobBytes => write!(f, "it had the host read and write more than {size}"),
        }
    }
}

impl std::error::Error for LimitExceeded {}

/// A number of bytes in the largest binary unit that divides it.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")]
            .into_iter()
            .find(|(unit, _)| self.0 != 0 && self.0.is_multiple_of(*unit))
            .unwrap_or((1, "bytes"));
        write!(f, "{} {name}", self.0.checked_div(unit).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_limit_and_its_default() {
        let documentation = include_str!("../../../docs/security-model.md");
        let limits = Limits::default();
        let keys = [
            Limit::ComponentSize,
            Limit::CompileTime,
            Limit::CompileMemory,
            Limit::Stack,
            Limit::Memory,
            Limit::TableElements,
            Limit::Instances,
            Limit::Handles,
            Limit::Streams,
            Limit::Fuel,
            Limit::Time,
            Limit::OutputSize,
            Limit::HostCalls,
            Limit::HttpRequests,
            Limit::BlobBytes,
        ];
        let rows = keys.map(|limit| (limit.key(), limits.exceeded(limit).allowed));
        for (key, default) in rows.into_iter().chain([("log-size", limits.log_size)]) {
            let row = format!("| `{key}` | {default} |");
            assert!(documentation.contains(&row), "no row {row}");
        }
    }
}
