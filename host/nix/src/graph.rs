//! Reference graphs: which store paths there are, and what each refers to, in the forms in which Nix writes it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use seed_model::{Closure, Digest, LayerRoots, StorePath};
use seed_store_path::is_store_path;
use serde::Deserialize;
use serde_json::Value;

use crate::hash::parse_sha256;
use crate::text::shorten;

/// Why a reference graph cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// It is not JSON, or a value in it is not what it should be.
    #[error("invalid structured attributes: {0}")]
    Json(#[from] serde_json::Error),
    /// There is no graph in it.
    #[error("it has no `exportReferencesGraph`")]
    NoGraph,
    /// It is not in the form of a registration.
    #[error("{0}")]
    Registration(String),
    /// Not a SHA-256 hash.
    #[error("invalid NAR hash of `{path}`: `{text}` is not a SHA-256 hash")]
    Hash {
        path: String,
        /// What stands there.
        text: String,
    },
    /// One path has two entries that differ.
    #[error("it lists `{path}` twice, with different contents or references")]
    Contradiction { path: String },
    /// Not a store path.
    #[error("`{path}` is not a store path in /nix/store")]
    Outside {
        /// What stands there.
        path: String,
    },
    /// The sizes cannot be added up.
    #[error("the NAR sizes in it add up to more than {} bytes", i64::MAX)]
    Size,
    /// A path has no entry.
    #[error("the closure lacks `{path}`{}", referrer.as_ref().map_or(String::new(), |by| format!(", which `{by}` references")))]
    Missing {
        path: String,
        /// What refers to it; none where it was asked for.
        referrer: Option<String>,
    },
}

/// What Nix knows of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    nar_hash: Digest,
    nar_size: u64,
    references: Vec<String>,
}

/// A reference graph, read from one or several texts.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    records: BTreeMap<String, Record>,
}

/// The attributes of a builder (`.attrs.json`). Each key of `exportReferencesGraph` is an attribute of its own, with
/// all paths of the closure that was asked for under that key.
#[derive(Deserialize)]
struct Attributes {
    #[serde(rename = "exportReferencesGraph")]
    graphs: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PathInfo {
    path: String,
    nar_hash: String,
    nar_size: u64,
    references: Vec<String>,
}

impl Graph {
    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Adds what a file holds that Nix wrote: the attributes of a derivation with `__structuredAttrs` and
    /// `exportReferencesGraph`, or a registration, as `nix-store --dump-db` prints it and `closureInfo` writes it.
    /// Every path in it must be one of the store.
    pub fn read(&mut self, text: &str) -> Result<(), GraphError> {
        if !text.trim_start().starts_with('{') {
            return self.read_registration(text);
        }
        self.attributes(text)?;
        let paths = self.records.iter().flat_map(|(path, record)| record.references.iter().chain([path]));
        match paths.into_iter().find(|path| !is_store_path(path)) {
            None => Ok(()),
            Some(path) => Err(GraphError::Outside { path: shorten(path) }),
        }
    }

    /// Adds a registration. Every path in it must be one of the store, which is checked before any is kept: a text of line
    /// feeds would be as many references otherwise.
    pub fn read_registration(&mut self, text: &str) -> Result<(), GraphError> {
        self.records_of(text, |path| {
            if is_store_path(path) { Ok(()) } else { Err(GraphError::Outside { path: shorten(path) }) }
        })
    }

    fn attributes(&mut self, text: &str) -> Result<(), GraphError> {
        let Attributes { graphs, mut others } = serde_json::from_str(text)?;
        for name in graphs.ok_or(GraphError::NoGraph)?.into_keys() {
            let infos = others.remove(&name).ok_or(GraphError::NoGraph)?;
            for info in Vec::<PathInfo>::deserialize(infos)? {
                self.insert(info.path, &info.nar_hash, info.nar_size, info.references)?;
            }
        }
        Ok(())
    }

    /// Reads what `nix-store --dump-db` prints. Per path, a line each: path, NAR SHA-256, NAR size, deriver, number of
    /// references, the references.
    pub(crate) fn registration(&mut self, text: &str) -> Result<(), GraphError> {
        self.records_of(text, |_| Ok(()))
    }

    /// Adds the records of a registration whose paths pass `check`.
    fn records_of(
        &mut self,
        text: &str,
        check: impl Fn(&str) -> Result<(), GraphError>,
    ) -> Result<(), GraphError> {
        let mut lines = text.lines();
        while let Some(path) = lines.next() {
            let problem = |what: &str| GraphError::Registration(format!("{what} of `{}`", shorten(path)));
            let mut field = |what: &str| lines.next().ok_or_else(|| problem(&format!("missing {what}")));
            if !path.starts_with('/') {
                return Err(GraphError::Registration(format!(
                    "expected a store path instead of `{}`",
                    shorten(path)
                )));
            }
            check(path)?;
            let nar_hash = field("NAR hash")?;
            let nar_size = field("NAR size")?.parse().map_err(|_| problem("invalid NAR size"))?;
            field("deriver")?;
            let count: usize = field("number of references")?
                .parse()
                .map_err(|_| problem("invalid number of references"))?;
            let mut references = Vec::new();
            for _ in 0..count {
                let reference = field("reference")?;
                check(reference)?;
                references.push(reference.to_owned());
            }
            self.insert(path.to_owned(), nar_hash, nar_size, references)?;
        }
        Ok(())
    }

    fn insert(
        &mut self,
        path: String,
        nar_hash: &str,
        nar_size: u64,
        mut references: Vec<String>,
    ) -> Result<(), GraphError> {
        let nar_hash = parse_sha256(nar_hash)
            .ok_or_else(|| GraphError::Hash { path: shorten(&path), text: shorten(nar_hash) })?;
        references.sort_unstable();
        references.dedup();
        let record = Record { nar_hash, nar_size, references };
        match self.records.entry(path) {
            Entry::Vacant(place) => _ = place.insert(record),
            // One graph for each layer has the paths that layers share several times.
            Entry::Occupied(known) if *known.get() == record => {}
            Entry::Occupied(known) => return Err(GraphError::Contradiction { path: shorten(known.key()) }),
        }
        Ok(())
    }

    /// The closure of `layers`: each a name and the store paths that were asked for. Paths of the graph that none of
    /// them needs are left out.
    pub fn closure(&self, layers: &[(String, Vec<String>)]) -> Result<Closure, GraphError> {
        let mut reached: BTreeMap<&str, &Record> = BTreeMap::new();
        let mut pending: Vec<(&str, Option<&str>)> =
            layers.iter().flat_map(|(_, roots)| roots).map(|root| (root.as_str(), None)).collect();
        while let Some((path, referrer)) = pending.pop() {
            let Some((path, record)) = self.records.get_key_value(path) else {
                let referrer = referrer.map(shorten);
                return Err(GraphError::Missing { path: shorten(path), referrer });
            };
            if reached.insert(path, record).is_none() {
                pending.extend(
                    record.references.iter().map(|reference| (reference.as_str(), Some(path.as_str()))),
                );
            }
        }
        // Whatever is added up later, of these, is less.
        let total = reached.values().try_fold(0_u64, |sum, record| sum.checked_add(record.nar_size));
        if total.is_none_or(|total| total > i64::MAX as u64) {
            return Err(GraphError::Size);
        }
        let indices: BTreeMap<&str, u32> = reached.keys().copied().zip(0..).collect();
        let index = |path: &String| indices[path.as_str()];
        let paths = reached.iter().map(|(path, record)| StorePath {
            store_path: (*path).to_owned(),
            nar_hash: record.nar_hash,
            nar_size: record.nar_size,
            // Sorted by path, and so by index.
            references: record.references.iter().map(index).collect(),
        });
        let outputs = layers.iter().map(|(layer, roots)| LayerRoots {
            layer: layer.clone(),
            roots: roots.iter().map(index).collect(),
        });
        Ok(Closure { paths: paths.collect(), outputs: outputs.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    const TOOL: &str = "/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool";
    const BASE: &str = "/nix/store/ax2r82ckb9i8lbkfaryd1lilgk936gmz-seed-base";
    const APPS: &str = "/nix/store/y1shrl2cf8q453sw8n2ym6vvn1hjm2i6-seed-apps";

    fn closure(text: &str, layers: &[(&str, &[&str])]) -> Result<Closure, GraphError> {
        let mut graph = Graph::default();
        graph.read(text)?;
        let owned = |roots: &[&str]| roots.iter().map(|&root| root.to_owned()).collect();
        let layers: Vec<_> = layers.iter().map(|(name, roots)| ((*name).to_owned(), owned(roots))).collect();
        graph.closure(&layers)
    }

    fn check(closure: &Closure, expected: [&str; 3], version: &str) {
        let paths: Vec<&str> = closure.paths.iter().map(|path| path.store_path.as_str()).collect();
        assert_eq!(paths, expected, "{version}");
        assert_eq!((closure.paths[0].nar_size, closure.nar_size()), (120, 456), "{version}");
        assert_eq!(closure.paths[0].nar_hash.short(), "6ce6fe5f9753", "{version}");
    }

    #[test]
    fn the_dump_of_all_versions_becomes_a_closure() {
        for version in recorded::VERSIONS {
            let dump = String::from_utf8(recorded::read(version, "dump-db.txt")).unwrap();
            let closure = closure(&dump, &[("apps", &[APPS]), ("both", &[BASE, TOOL])]).unwrap();
            check(&closure, [TOOL, BASE, APPS], version);
            let references: Vec<&[u32]> = closure.paths.iter().map(|path| &*path.references).collect();
            assert_eq!(references, [&[][..], &[0], &[1]], "{version}");
            assert_eq!(closure.outputs[0].roots, [2], "{version}");
            assert_eq!(closure.outputs[1].roots, [1, 0], "{version}");
        }
    }

    #[test]
    fn the_attributes_of_all_versions_become_a_closure() {
        const BASE: &str = "/nix/store/z1fcjv037950mhjx7ag2gi1ch889z79b-seed-base";
        const APPS: &str = "/nix/store/hbpv72hs9xjvi1d6gj0vwpx2lxwawj0r-seed-apps";
        for version in recorded::VERSIONS {
            let text = String::from_utf8(recorded::read(version, "attributes.json")).unwrap();
            check(&closure(&text, &[("apps", &[APPS])]).unwrap(), [TOOL, APPS, BASE], version);
            let base = closure(&text, &[("base", &[BASE])]).unwrap();
            assert_eq!(base.paths.len(), 2, "{version}: what nothing needs is left out");
        }
    }

    #[test]
    fn texts_add_up_and_may_not_contradict() {
        let (one, other) =
            (format!("{TOOL}\n{HASH}\n120\n\n0\n"), format!("{BASE}\n{HASH}\n9\n\n1\n{TOOL}\n"));
        let mut graph = Graph::default();
        for text in [&one, &other, &one] {
            graph.read(text).unwrap();
        }
        assert_eq!(graph.closure(&[("base".to_owned(), vec![BASE.to_owned()])]).unwrap().paths.len(), 2);
        let error = graph.read(&one.replace("120", "121")).unwrap_err();
        insta::assert_snapshot!(error, @"it lists `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool` twice, with different contents or references");
    }

    const HASH: &str = "6ce6fe5f975394a88d7befc35bd67c4c8b957b09dc7473c3d6bffcdd01cc20cd";

    #[test]
    fn what_is_not_a_dump_is_refused() {
        let good = format!("{TOOL}\n{HASH}\n120\n\n0\n");
        let error = |text: &str, roots: &[&str]| closure(text, &[("apps", roots)]).unwrap_err();
        assert!(closure(&good, &[("apps", &[TOOL])]).is_ok());
        insta::assert_snapshot!(error("hello", &[]), @"expected a store path instead of `hello`");
        insta::assert_snapshot!(error(&good.replace(HASH, "6ce6"), &[]), @"invalid NAR hash of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`: `6ce6` is not a SHA-256 hash");
        insta::assert_snapshot!(error(&good[..80], &[]), @"missing NAR size of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`");
        insta::assert_snapshot!(error(&good.replace("120", "many"), &[]), @"invalid NAR size of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`");
        let endless = good.replace("\n0\n", "\n99999999999999\n");
        insta::assert_snapshot!(error(&endless, &[]), @"missing reference of `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`");
        let dangling = good.replace("\n0\n", &format!("\n1\n{BASE}\n"));
        insta::assert_snapshot!(error(&dangling, &[TOOL]), @"the closure lacks `/nix/store/ax2r82ckb9i8lbkfaryd1lilgk936gmz-seed-base`, which `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool` references");
        insta::assert_snapshot!(error(&good, &[APPS]), @"the closure lacks `/nix/store/y1shrl2cf8q453sw8n2ym6vvn1hjm2i6-seed-apps`");
        insta::assert_snapshot!(error(&good.replace(TOOL, "/etc/shadow"), &[]), @"`/etc/shadow` is not a store path in /nix/store");
        let feeds = good.replace("\n0\n", &format!("\n{0}\n{1}", 1 << 20, "\n".repeat(1 << 20)));
        insta::assert_snapshot!(error(&feeds, &[]), @"`` is not a store path in /nix/store");
        let sizes = good.replace("120", &(1_u64 << 62).to_string())
            + &good.replace("120", &(1_u64 << 62).to_string()).replace(TOOL, BASE);
        insta::assert_snapshot!(error(&sizes, &[TOOL, BASE]), @"the NAR sizes in it add up to more than 9223372036854775807 bytes");
        assert!(closure(&sizes, &[("apps", &[TOOL])]).is_ok(), "what nothing needs does not count");
    }

    #[test]
    fn what_are_not_attributes_is_refused() {
        let info = |info: &str| format!(r#"{{"exportReferencesGraph":{{"all":["x"]}},"all":[{info}]}}"#);
        let error = |text: &str| closure(text, &[]).unwrap_err();
        insta::assert_snapshot!(error("{"), @"invalid structured attributes: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(error("{}"), @"it has no `exportReferencesGraph`");
        insta::assert_snapshot!(error(r#"{"exportReferencesGraph":{"all":[]}}"#), @"it has no `exportReferencesGraph`");
        insta::assert_snapshot!(error(&info(r#"{"path":"/nix"}"#)), @"invalid structured attributes: missing field `narHash`");
        insta::assert_snapshot!(error(&info(r#"{"path":"/etc/shadow","narHash":"x","narSize":1,"references":[]}"#)), @"invalid NAR hash of `/etc/shadow`: `x` is not a SHA-256 hash");
        let outside =
            format!(r#"{{"path":"{TOOL}","narHash":"{HASH}","narSize":1,"references":["{TOOL}/../x"]}}"#);
        insta::assert_snapshot!(error(&info(&outside)), @"`/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool/../x` is not a store path in /nix/store");
    }
}
