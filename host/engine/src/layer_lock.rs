//! `[select] layer-lock`: the file that keeps layers as they are. `seed run` writes it if it is missing, `seed plan --lock-layers` rewrites it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use seed_model::{Closure, ImagePlan, LayerLock, LockedLayer};
use seed_report::{Kind, Problem, Problems, Report, SourceFile};
use serde::{Deserialize, Serialize};

use crate::lock::Policy;

/// The version that this program reads and writes.
const VERSION: u32 = 1;

/// The largest file in bytes: a hundred thousand store paths.
const MAX_SIZE: u64 = 16 << 20;

const HEADER: &str = "# Which store paths are in which layer. Written by `seed plan --lock-layers`, and by \
                      `seed run` if it is missing; commit it.\n\n";

/// Why a layer lock cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum LayerLockError {
    /// It is to be written, but the pipeline file does not say where.
    #[error("the pipeline file names no layer lock")]
    #[diagnostic(
        code("seed::layer-lock::nowhere"),
        help("add to the pipeline file:\n\n[select]\nlayer-lock = \"layers.lock\"")
    )]
    Nowhere,
    /// `--locked` asks for one that is not there.
    #[error("{} has no layers for {system}, but `--locked` requires them", path.display())]
    #[diagnostic(
        code("seed::layer-lock::missing"),
        help("run `seed plan --lock-layers`, then commit the file")
    )]
    Missing { path: PathBuf, system: String },
    /// `--locked` asks that it stays, and it would change.
    #[error("`--locked` keeps {} as it is, but this run would change it", path.display())]
    #[diagnostic(
        code("seed::layer-lock::changed"),
        help("run `seed plan --lock-layers` without `--locked`, then commit the file")
    )]
    Changed { path: PathBuf },
    /// Reading failed.
    #[error("cannot read the layer lock {}", path.display())]
    #[diagnostic(code("seed::layer-lock::unreadable"))]
    Read { path: PathBuf, source: io::Error },
    /// Writing failed.
    #[error("cannot write the layer lock {}", path.display())]
    #[diagnostic(
        code("seed::layer-lock::unwritable"),
        help("create the directory of `layer-lock` in [select], or name another file")
    )]
    Write { path: PathBuf, source: io::Error },
    /// A newer program wrote it.
    #[error("a newer `seed` wrote {}: it has version {found}, this `seed` reads {VERSION}", path.display())]
    #[diagnostic(code("seed::layer-lock::version"), help("upgrade `seed`"))]
    Newer { path: PathBuf, found: u32 },
    /// It is not such a file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problems(#[from] Problems),
}

impl Report for LayerLockError {
    fn kind(&self) -> Kind {
        match self {
            Self::Nowhere => Kind::Usage,
            Self::Read { .. } | Self::Write { .. } => Kind::Failed,
            Self::Missing { .. } | Self::Changed { .. } | Self::Newer { .. } | Self::Problems(_) => Kind::Pin,
        }
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    image: Vec<LockedImage>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedImage {
    system: String,
    updates: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    changes: BTreeMap<String, u32>,
    layer: Vec<LockedLayer>,
}

/// The layer locks of a run, by system.
#[derive(Debug, Default)]
pub(crate) struct LayerLocks {
    path: Option<PathBuf>,
    systems: BTreeMap<String, LayerLock>,
    /// Whether they will be rewritten.
    renew: bool,
    /// Whether the file must stay as it is.
    kept: bool,
}

impl LayerLocks {
    /// Reads the layer lock, if the pipeline names one and it is there. `renew`: they will be rewritten; `systems` are
    /// those of the run.
    pub(crate) fn open<'a>(
        path: Option<PathBuf>,
        policy: Policy,
        renew: bool,
        systems: impl Iterator<Item = &'a str>,
    ) -> Result<Self, LayerLockError> {
        let Some(path) = path else {
            return if renew { Err(LayerLockError::Nowhere) } else { Ok(Self::default()) };
        };
        let layer_locks = read(&path)?;
        for system in systems {
            if policy == Policy::Locked && !layer_locks.contains_key(system) {
                return Err(LayerLockError::Missing { path, system: system.to_owned() });
            }
        }
        Ok(Self { path: Some(path), systems: layer_locks, renew, kept: policy == Policy::Locked })
    }

    /// The layer lock of a system, as a selector gets it.
    pub(crate) fn of(&self, system: &str) -> Option<LayerLock> {
        let layer_lock = self.systems.get(system)?;
        Some(LayerLock { rebalance: self.renew, ..layer_lock.clone() })
    }

    /// Writes the layer locks of `plans` (the system, its plan, and what that is of) that have none, or of all if
    /// they are to be rewritten. Gives the file that was
    /// written.
    pub(crate) fn write<'a>(
        &mut self,
        plans: impl Iterator<Item = (&'a str, &'a ImagePlan, &'a Closure)>,
    ) -> Result<Option<&Path>, LayerLockError> {
        let Some(path) = &self.path else { return Ok(None) };
        let before = self.systems.clone();
        for (system, plan, closure) in plans {
            if self.renew || !self.systems.contains_key(system) {
                let layer_lock = LayerLock::of(plan, closure, self.systems.get(system));
                self.systems.insert(system.to_owned(), layer_lock);
            }
        }
        if before == self.systems {
            return Ok(None);
        }
        if self.kept {
            return Err(LayerLockError::Changed { path: path.clone() });
        }
        seed_disk::replace(path, text(&self.systems).as_bytes())
            .map_err(|source| LayerLockError::Write { path: path.clone(), source })?;
        Ok(Some(path))
    }
}

pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, LayerLock>, LayerLockError> {
    let unreadable = |source| LayerLockError::Read { path: path.to_owned(), source };
    let text = match seed_disk::read_bounded_text(path, MAX_SIZE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(unreadable)?,
    };
    let file = SourceFile { path: path.to_owned(), text: text.into() };
    let Version { version } = parse(&file)?;
    if version > VERSION {
        return Err(LayerLockError::Newer { path: path.to_owned(), found: version });
    }
    let document: Document = parse(&file)?;
    let mut systems = BTreeMap::new();
    for LockedImage { system, updates, changes, layer } in document.image {
        // A merge of two branches may have left a system twice.
        if systems.contains_key(&system) {
            let reason = format!("it lists the system `{}` twice", system.escape_debug());
            return Err(malformed(&file, &reason, None).into());
        }
        systems.insert(system, LayerLock { layers: layer, updates, changes, rebalance: false });
    }
    Ok(systems)
}

fn parse<'a, T: Deserialize<'a>>(file: &'a SourceFile) -> Result<T, Problems> {
    toml::from_str(&file.text).map_err(|error| malformed(file, error.message(), error.span()))
}

fn malformed(file: &SourceFile, reason: &str, span: Option<Range<usize>>) -> Problems {
    let problem = Problem {
        code: "seed::layer-lock::malformed".to_owned(),
        message: format!("not a layer lock: {reason}"),
        label: "here".to_owned(),
        span,
        help: Some("restore it from git, or delete it and run `seed plan --lock-layers`".to_owned()),
    };
    Problems::check(file, vec![problem]).expect_err("there is a problem")
}

fn text(systems: &BTreeMap<String, LayerLock>) -> String {
    let image = |(system, layer_lock): (&String, &LayerLock)| LockedImage {
        system: system.clone(),
        updates: layer_lock.updates,
        changes: layer_lock.changes.clone(),
        layer: layer_lock.layers.clone(),
    };
    let document = Document { version: VERSION, image: systems.iter().map(image).collect() };
    let body = toml::to_string_pretty(&document).expect("strings and arrays have a TOML form");
    format!("{HEADER}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rendered;

    fn layer_lock() -> LayerLock {
        let layer =
            |name: &str, path: &str| LockedLayer { name: name.to_owned(), paths: vec![path.to_owned()] };
        LayerLock {
            layers: vec![layer("base", "/nix/store/a-glibc-2.40"), layer("apps", "/nix/store/b-hello-1")],
            updates: 3,
            changes: BTreeMap::from([("hello".to_owned(), 2)]),
            rebalance: false,
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layers.lock");
        let systems = BTreeMap::from([("x86_64-linux".to_owned(), layer_lock())]);
        let text = text(&systems);
        std::fs::write(&path, &text).unwrap();
        assert_eq!(read(&path).unwrap(), systems);
        insta::assert_snapshot!(text);
        assert_eq!(read(&directory.path().join("none")).unwrap(), BTreeMap::new());
    }

    #[test]
    fn a_layer_lock_has_one_reading() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layers.lock");
        let error = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).unwrap_err().to_string()
        };
        let good = text(&BTreeMap::from([("x86_64-linux".to_owned(), layer_lock())]));
        let document = toml::from_str(&good).unwrap();
        for (pointer, bad) in seed_tests::with_unknown_keys(&document, &["/image/0/changes"]) {
            let error = error(&toml::to_string(&bad).unwrap());
            assert!(error.contains("unknown field `more`"), "{pointer}: {error}");
        }
        let images = good.strip_prefix(HEADER).unwrap().trim_start().strip_prefix("version = 1").unwrap();
        assert!(error(&format!("{good}{images}")).contains("it lists the system `x86_64-linux` twice"));
    }

    #[test]
    fn the_largest_file_is_read_and_one_byte_more_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layers.lock");
        let mut text = text(&BTreeMap::new());
        text.push('#');
        text.push_str(&" ".repeat(usize::try_from(MAX_SIZE).unwrap() - text.len()));
        std::fs::write(&path, &text).unwrap();
        assert_eq!(read(&path).unwrap(), BTreeMap::new());
        text.push(' ');
        std::fs::write(&path, &text).unwrap();
        assert!(matches!(read(&path), Err(LayerLockError::Read { .. })));
    }

    #[test]
    fn a_locked_run_writes_no_layer_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layers.lock");
        let text = text(&BTreeMap::from([("x86_64-linux".to_owned(), layer_lock())]));
        std::fs::write(&path, &text).unwrap();
        let systems = ["x86_64-linux"].into_iter();
        let mut locks = LayerLocks::open(Some(path.clone()), Policy::Locked, true, systems).unwrap();
        let (plan, closure) = (ImagePlan::default(), Closure { paths: Vec::new(), outputs: Vec::new() });
        let error = locks.write([("x86_64-linux", &plan, &closure)].into_iter()).unwrap_err();
        assert!(matches!(error, LayerLockError::Changed { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn files_that_are_no_layer_locks_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layers.lock");
        let error = |text: &str| {
            std::fs::write(&path, text).unwrap();
            rendered(&read(&path).unwrap_err()).replace(&*directory.path().to_string_lossy(), "DIRECTORY")
        };
        let system = std::iter::once("x86_64-linux");
        let errors = [
            error("version = 2\nnew = true\n"),
            error("version = 1\n[[image]]\nsystem = 1\n"),
            error("{}"),
            rendered(&LayerLocks::open(None, Policy::Update, true, std::iter::empty()).unwrap_err()),
            rendered(
                &LayerLocks::open(Some("no-such-file".into()), Policy::Locked, false, system).unwrap_err(),
            ),
        ];
        insta::assert_snapshot!(errors.join("\n"));
    }
}
