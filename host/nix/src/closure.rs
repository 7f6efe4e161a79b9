//! Reads closures from Nix's database.

use std::collections::BTreeMap;

use seed_model::{Closure, Digest, LayerRoots, StorePath};

use crate::events::Observer;
use crate::{Nix, NixError};

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
        let mut records = BTreeMap::new();
        for batch in batches(&paths) {
            let dump = self.nix_store(&["--dump-db"], MAX_OUTPUT).quiet_args(batch);
            let output = dump.run(observer)?.success()?;
            let text = String::from_utf8(output).map_err(|e| malformed(DUMP, &e.to_string()))?;
            parse(&text, &mut records)?;
        }
        index(&records, layers)
    }
}

const QUERY: &str = "nix-store --query --requisites";
const DUMP: &str = "nix-store --dump-db";

/// What the database knows of one path.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    nar_hash: Digest,
    nar_size: u64,
    references: Vec<String>,
}

/// Splits arguments so that no call is longer than the system allows. Without arguments there is no call: the
/// commands would take that for "everything".
fn batches<T: AsRef<str>>(arguments: &[T]) -> Vec<Vec<&str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    let mut size = usize::MAX;
    for argument in arguments.iter().map(AsRef::as_ref) {
        size = size.saturating_add(argument.len() + 1);
        if size > MAX_ARGUMENTS {
            batches.push(Vec::new());
            size = argument.len() + 1;
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(argument);
        }
    }
    batches
}

/// Reads `nix-store --dump-db`. Per path, a line each: path, base16 NAR SHA-256, NAR size, deriver, number of
/// references, the references.
fn parse(text: &str, records: &mut BTreeMap<String, Record>) -> Result<(), NixError> {
    let mut lines = text.lines();
    while let Some(path) = lines.next() {
        let problem =
            |what: &str| malformed(DUMP, &format!("{what} of `{}`", crate::attribute::shorten(path)));
        let mut field = |what: &str| lines.next().ok_or_else(|| problem(&format!("there is no {what}")));
        if !path.starts_with('/') {
            return Err(problem("expected a store path instead"));
        }
        let nar_hash = format!("sha256:{}", field("NAR hash")?);
        let nar_hash = nar_hash.parse().map_err(|_| problem("cannot read the NAR hash"))?;
        let nar_size = field("NAR size")?.parse().map_err(|_| problem("cannot read the NAR size"))?;
        field("deriver")?;
        let count: usize = field("number of references")?
            .parse()
            .map_err(|_| problem("cannot read the number of references"))?;
        let references =
            (0..count).map(|_| field("reference").map(str::to_owned)).collect::<Result<_, _>>()?;
        records.insert(path.to_owned(), Record { nar_hash, nar_size, references });
    }
    Ok(())
}

/// Turns names into indices and checks that the closure is complete.
fn index(records: &BTreeMap<String, Record>, layers: &[(String, Vec<String>)]) -> Result<Closure, NixError> {
    let indices: BTreeMap<&String, u32> = records.keys().zip(0..).collect();
    let find = |path: &String| {
        indices
            .get(path)
            .copied()
            .ok_or_else(|| malformed(DUMP, &format!("`{path}` is missing from the closure")))
    };
    let mut paths = Vec::with_capacity(records.len());
    for (store_path, record) in records {
        let mut references = record.references.iter().map(find).collect::<Result<Vec<u32>, _>>()?;
        references.sort_unstable();
        references.dedup();
        paths.push(StorePath {
            store_path: store_path.clone(),
            nar_hash: record.nar_hash,
            nar_size: record.nar_size,
            references,
        });
    }
    let outputs = layers
        .iter()
        .map(|(layer, roots)| {
            let roots = roots.iter().map(find).collect::<Result<_, _>>()?;
            Ok(LayerRoots { layer: layer.clone(), roots })
        })
        .collect::<Result<_, NixError>>()?;
    Ok(Closure { paths, outputs })
}

fn malformed(command: &str, problem: &str) -> NixError {
    NixError::Malformed { command: command.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    const TOOL: &str = "/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool";
    const BASE: &str = "/nix/store/ax2r82ckb9i8lbkfaryd1lilgk936gmz-seed-base";
    const APPS: &str = "/nix/store/y1shrl2cf8q453sw8n2ym6vvn1hjm2i6-seed-apps";

    fn closure(dump: &str, layers: &[(&str, &[&str])]) -> Result<Closure, NixError> {
        let mut records = BTreeMap::new();
        parse(dump, &mut records)?;
        let owned = |roots: &[&str]| roots.iter().map(|&root| root.to_owned()).collect();
        let layers: Vec<_> = layers.iter().map(|(name, roots)| ((*name).to_owned(), owned(roots))).collect();
        index(&records, &layers)
    }

    #[test]
    fn the_dump_of_all_versions_becomes_a_closure() {
        for version in recorded::VERSIONS {
            let dump = String::from_utf8(recorded::read(version, "dump-db.txt")).unwrap();
            let closure = closure(&dump, &[("apps", &[APPS]), ("both", &[BASE, TOOL])]).unwrap();
            let paths: Vec<&str> = closure.paths.iter().map(|path| path.store_path.as_str()).collect();
            assert_eq!(paths, [TOOL, BASE, APPS], "{version}");
            let references: Vec<&[u32]> = closure.paths.iter().map(|path| &*path.references).collect();
            assert_eq!(references, [&[][..], &[0], &[1]], "{version}");
            assert_eq!(closure.outputs[0].roots, [2], "{version}");
            assert_eq!(closure.outputs[1].roots, [1, 0], "{version}");
            assert_eq!((closure.paths[0].nar_size, closure.nar_size()), (120, 456), "{version}");
            assert_eq!(closure.paths[0].nar_hash.short(), "6ce6fe5f9753", "{version}");
        }
    }

    #[test]
    fn what_is_not_a_dump_is_refused() {
        let hash = "6ce6fe5f975394a88d7befc35bd67c4c8b957b09dc7473c3d6bffcdd01cc20cd";
        let good = format!("{TOOL}\n{hash}\n120\n\n0\n");
        assert!(closure(&good, &[]).is_ok());
        insta::assert_snapshot!(closure("hello", &[]).unwrap_err(), @"cannot understand what `nix-store --dump-db` printed: expected a store path instead of `hello`");
        insta::assert_snapshot!(closure(&good[..80], &[]).unwrap_err(), @"cannot understand what `nix-store --dump-db` printed: cannot read the NAR hash of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`");
        insta::assert_snapshot!(closure(&good.replace("120", "many"), &[]).unwrap_err(), @"cannot understand what `nix-store --dump-db` printed: cannot read the NAR size of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`");
        let endless = good.replace("\n0\n", "\n99999999999999\n");
        insta::assert_snapshot!(closure(&endless, &[]).unwrap_err(), @"cannot understand what `nix-store --dump-db` printed: there is no reference of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`");
        let dangling = good.replace("\n0\n", &format!("\n1\n{BASE}\n"));
        insta::assert_snapshot!(closure(&dangling, &[]).unwrap_err(), @"cannot understand what `nix-store --dump-db` printed: `/nix/store/ax2r82ckb9i8lbkfaryd1lilgk936gmz-seed-base` is missing from the closure");
        insta::assert_snapshot!(closure(&good, &[("apps", &[APPS])]).unwrap_err(), @"cannot understand what `nix-store --dump-db` printed: `/nix/store/y1shrl2cf8q453sw8n2ym6vvn1hjm2i6-seed-apps` is missing from the closure");
    }

    #[test]
    fn no_call_is_too_long_and_none_is_empty() {
        assert!(batches::<String>(&[]).is_empty());
        let paths = vec!["x".repeat(1000); 2000];
        let batches = batches(&paths);
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 2000);
        assert!(batches.len() == 4 && batches.iter().all(|batch| batch.len() * 1001 <= MAX_ARGUMENTS));
    }
}
