//! Reads closures from Nix's database.

use seed_model::Closure;

use crate::error::NixError;
use crate::events::Observer;
use crate::graph::Graph;
use crate::nix::Nix;

/// A closure of a million paths with long names.
const MAX_OUTPUT: u64 = 512 * 1024 * 1024;
/// Bytes of arguments per call: Linux allows 2 MiB by default, together with the environment.
const MAX_ARGUMENTS: usize = 512 * 1024;

impl Nix {
    /// The closure of `layers`: each a name and the store paths that were asked for, which must exist.
    pub fn closure(
        &self,
        layers: &[(String, Vec<String>)],
        observer: &dyn Observer,
    ) -> Result<Closure, NixError> {
        let mut roots: Vec<&String> = layers.iter().flat_map(|(_, roots)| roots).collect();
        roots.sort_unstable();
        roots.dedup();
        let mut paths: Vec<String> = Vec::new();
        for batch in batches(&roots) {
            let query = self.nix_store(&["--query", "--requisites"], MAX_OUTPUT).quiet_args(batch);
            let output = query.run(observer)?.success()?;
            let text = String::from_utf8(output).map_err(|e| malformed(QUERY, &e.to_string()))?;
            paths.extend(text.lines().map(str::to_owned));
        }
        paths.sort_unstable();
        paths.dedup();
        let mut graph = Graph::default();
        for batch in batches(&paths) {
            let dump = self.nix_store(&["--dump-db"], MAX_OUTPUT).quiet_args(batch);
            let output = dump.run(observer)?.success()?;
            let text = String::from_utf8(output).map_err(|e| malformed(DUMP, &e.to_string()))?;
            graph.registration(&text).map_err(|e| malformed(DUMP, &e.to_string()))?;
        }
        graph.closure(layers).map_err(|e| malformed(DUMP, &e.to_string()))
    }
}

const QUERY: &str = "nix-store --query --requisites";
const DUMP: &str = "nix-store --dump-db";

/// Splits arguments so that no call is longer than the system allows. Without arguments there is no call: the
/// commands would take that for "everything".
pub(crate) fn batches<T: AsRef<str>>(arguments: &[T]) -> Vec<Vec<&str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    let mut size = usize::MAX;
    for argument in arguments.iter().map(AsRef::as_ref) {
        size = size.saturating_add(argument.len()).saturating_add(1);
        if size > MAX_ARGUMENTS {
            batches.push(Vec::new());
            size = argument.len().saturating_add(1);
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(argument);
        }
    }
    batches
}

fn malformed(command: &str, problem: &str) -> NixError {
    NixError::Malformed { command: command.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_too_long_and_none_is_empty() {
        assert!(batches::<String>(&[]).is_empty());
        let paths = vec!["x".repeat(1000); 2000];
        let batches = batches(&paths);
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 2000);
        assert!(batches.len() == 4 && batches.iter().all(|batch| batch.len() * 1001 <= MAX_ARGUMENTS));
    }
}
