//! `[select] pin`: the file that keeps layers as they are. `seed run` writes it where it is missing, `seed plan --pin` anew.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use seed_model::{Closure, ImagePlan, Pin, PinnedLayer};
use seed_report::{Kind, Problem, Problems, Report, SourceFile};
use serde::{Deserialize, Serialize};

use crate::lock::Policy;

/// The version that this program reads and writes.
const VERSION: u32 = 1;

/// The largest file in bytes: a hundred thousand store paths.
const MAX_SIZE: u64 = 16 << 20;

const HEADER: &str = "# Which store paths stand in which layer. Written by `seed plan --pin`, and by `seed run` where it is missing; commit it.\n\n";

/// Why a pin cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum PinError {
    /// It is to be written, but the pipeline file does not say where.
    #[error("the pipeline file does not say where pinned layers are kept")]
    #[diagnostic(
        code("seed::pin::nowhere"),
        help("add to the pipeline file:\n\n[select]\npin = \"layers.lock\"")
    )]
    Nowhere,
    /// `--locked` asks for one that is not there.
    #[error("{} has no layers for {system}, and `--locked` asks for them", path.display())]
    #[diagnostic(code("seed::pin::missing"), help("run `seed plan --pin`, then commit the file"))]
    Missing {
        path: PathBuf,
        system: String,
    },
    /// Reading failed.
    #[error("the pinned layers in {} cannot be read", path.display())]
    #[diagnostic(code("seed::pin::unreadable"))]
    Read { path: PathBuf, source: io::Error },
    /// Writing failed.
    #[error("the pinned layers cannot be written to {}", path.display())]
    #[diagnostic(
        code("seed::pin::unwritable"),
        help("make the directory of `pin` in [select]; or name another file")
    )]
    Write { path: PathBuf, source: io::Error },
    /// A newer program wrote it.
    #[error("{} was written by a newer `seed`: it has version {found}, this `seed` reads {VERSION}", path.display())]
    #[diagnostic(code("seed::pin::version"), help("upgrade `seed`"))]
    Newer { path: PathBuf, found: u32 },
    /// It is not such a file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problems(#[from] Problems),
}

impl Report for PinError {
    fn kind(&self) -> Kind {
        match self {
            Self::Nowhere => Kind::Usage,
            Self::Read { .. } | Self::Write { .. } => Kind::Failed,
            Self::Missing { .. } | Self::Newer { .. } | Self::Problems(_) => Kind::Pin,
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
    image: Vec<PinnedImage>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedImage {
    system: String,
    updates: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    changes: BTreeMap<String, u32>,
    layer: Vec<PinnedLayer>,
}

/// The pins of a run, by system.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    path: Option<PathBuf>,
    systems: BTreeMap<String, Pin>,
    /// Whether they will be written anew.
    renew: bool,
}

impl Pins {
    /// Reads the pin file, if the pipeline names one and it is there. `renew`: they will be written anew; `systems` are
    /// those of the run.
    pub(crate) fn open<'a>(
        path: Option<PathBuf>,
        policy: Policy,
        renew: bool,
        systems: impl Iterator<Item = &'a str>,
    ) -> Result<Self, PinError> {
        let Some(path) = path else {
            return if renew { Err(PinError::Nowhere) } else { Ok(Self::default()) };
        };
        let pins = read(&path)?;
        for system in systems {
            if policy == Policy::Locked && !pins.contains_key(system) {
                return Err(PinError::Missing { path, system: system.to_owned() });
            }
        }
        Ok(Self { path: Some(path), systems: pins, renew })
    }

    /// The pin of a system, as a selector gets it.
    pub(crate) fn of(&self, system: &str) -> Option<Pin> {
        let pin = self.systems.get(system)?;
        Some(Pin { rebalance: self.renew, ..pin.clone() })
    }

    /// Writes the pins of `plans` (the system, its plan, and what that is of) that have none, or of all where they are to be written anew. Gives the file that was
    /// written.
    pub(crate) fn write<'a>(
        &mut self,
        plans: impl Iterator<Item = (&'a str, &'a ImagePlan, &'a Closure)>,
    ) -> Result<Option<&Path>, PinError> {
        let Some(path) = &self.path else { return Ok(None) };
        let before = self.systems.clone();
        for (system, plan, closure) in plans {
            if self.renew || !self.systems.contains_key(system) {
                let pin = Pin::of(plan, closure, self.systems.get(system));
                self.systems.insert(system.to_owned(), pin);
            }
        }
        if before == self.systems {
            return Ok(None);
        }
        seed_disk::replace(path, text(&self.systems).as_bytes())
            .map_err(|source| PinError::Write { path: path.clone(), source })?;
        Ok(Some(path))
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Pin>, PinError> {
    let unreadable = |source| PinError::Read { path: path.to_owned(), source };
    let text = match seed_disk::read_bounded_text(path, MAX_SIZE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(unreadable)?,
    };
    let file = SourceFile { path: path.to_owned(), text: text.into() };
    let Version { version } = parse(&file)?;
    if version > VERSION {
        return Err(PinError::Newer { path: path.to_owned(), found: version });
    }
    let document: Document = parse(&file)?;
    let pin = |image: PinnedImage| {
        let PinnedImage { system, updates, changes, layer } = image;
        (system, Pin { layers: layer, updates, changes, rebalance: false })
    };
    Ok(document.image.into_iter().map(pin).collect())
}

fn parse<'a, T: Deserialize<'a>>(file: &'a SourceFile) -> Result<T, Problems> {
    toml::from_str(&file.text).map_err(|error| {
        let problem = Problem {
            code: "seed::pin::not-a-pin".to_owned(),
            message: format!("not a file of pinned layers: {}", error.message()),
            label: "here".to_owned(),
            span: error.span(),
            help: Some(
                "`seed plan --pin` writes it anew when it is deleted; git has the last good one".to_owned(),
            ),
        };
        Problems::check(file, vec![problem]).expect_err("there is a problem")
    })
}

fn text(systems: &BTreeMap<String, Pin>) -> String {
    let image = |(system, pin): (&String, &Pin)| PinnedImage {
        system: system.clone(),
        updates: pin.updates,
        changes: pin.changes.clone(),
        layer: pin.layers.clone(),
    };
    let document = Document { version: VERSION, image: systems.iter().map(image).collect() };
    let body = toml::to_string_pretty(&document).expect("strings and arrays have a TOML form");
    format!("{HEADER}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rendered;

    fn pin() -> Pin {
        let layer =
            |name: &str, path: &str| PinnedLayer { name: name.to_owned(), paths: vec![path.to_owned()] };
        Pin {
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
        let systems = BTreeMap::from([("x86_64-linux".to_owned(), pin())]);
        let text = text(&systems);
        std::fs::write(&path, &text).unwrap();
        assert_eq!(read(&path).unwrap(), systems);
        insta::assert_snapshot!(text);
        assert_eq!(read(&directory.path().join("none")).unwrap(), BTreeMap::new());
    }

    #[test]
    fn files_that_are_no_pins_are_told_apart() {
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
            rendered(&Pins::open(None, Policy::Update, true, std::iter::empty()).unwrap_err()),
            rendered(&Pins::open(Some("no-such-file".into()), Policy::Locked, false, system).unwrap_err()),
        ];
        insta::assert_snapshot!(errors.join("\n"));
    }
}
