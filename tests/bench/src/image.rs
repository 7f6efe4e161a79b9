//! Images made of the packages of a history, and their closures after each update.

use std::collections::{BTreeMap, BTreeSet};

use seed_model::{Closure, Digest, LayerRoots, StorePath};

use crate::history::{History, Package};

/// The package that stands for a project's own program: it changes with every update.
const OWN: &str = "application";

/// What an image is made of.
#[derive(Debug)]
pub(crate) struct Image {
    /// For the report.
    pub(crate) name: &'static str,
    /// Packages by layer.
    pub(crate) layers: &'static [(&'static str, &'static [&'static str])],
    /// Size of the project's own program, which needs all packages of the last layer; none if there is no such program.
    pub(crate) own_kib: Option<u64>,
}

const BASE: (&str, &[&str]) = ("base", &["libc6", "bash", "coreutils", "ca-certificates", "tzdata"]);

/// From a small service to a whole build environment.
pub(crate) const IMAGES: [Image; 6] = [
    Image {
        name: "Python service",
        layers: &[
            BASE,
            (
                "library",
                &[
                    "python3",
                    "python3-cryptography",
                    "python3-yaml",
                    "python3-httplib2",
                    "python3-jwt",
                    "python3-oauthlib",
                ],
            ),
        ],
        own_kib: Some(20_000),
    },
    Image {
        name: "Java service",
        layers: &[BASE, ("library", &["openjdk-17-jre-headless"])],
        own_kib: Some(40_000),
    },
    Image {
        name: "PostgreSQL",
        layers: &[BASE, ("apps", &["postgresql-15", "postgresql-contrib", "locales"])],
        own_kib: None,
    },
    Image {
        name: "container tools",
        layers: &[BASE, ("apps", &["docker.io", "skopeo", "git", "curl", "openssh-client"])],
        own_kib: None,
    },
    Image {
        name: "C++ build",
        layers: &[
            BASE,
            ("library", &["libssl-dev", "libgnutls28-dev", "libicu-dev"]),
            ("apps", &["g++", "cmake", "git", "gdb", "make", "python3-dev", "gettext", "vim"]),
        ],
        own_kib: Some(20_000),
    },
    Image {
        name: "everything",
        layers: &[
            BASE,
            (
                "library",
                &["libssl-dev", "libgtk2.0-0", "llvm-14-dev", "python3-pip", "openjdk-17-jdk-headless"],
            ),
            (
                "apps",
                &[
                    "g++",
                    "cmake",
                    "git",
                    "gdb",
                    "make",
                    "python3-dev",
                    "gettext",
                    "vim",
                    "valgrind",
                    "docker.io",
                    "skopeo",
                    "curl",
                    "openssh-client",
                    "postgresql-15",
                ],
            ),
        ],
        own_kib: Some(20_000),
    },
];

/// An image whose packages are known.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    image: &'static Image,
    /// Name, package, and the dependencies as positions before this one.
    packages: Vec<(&'a str, &'a Package, Vec<usize>)>,
}

impl<'a> Model<'a> {
    /// The closure of an image's packages. Dependencies that close a circle, which Nix does not have, are left out.
    pub(crate) fn new(image: &'static Image, history: &'a History) -> Self {
        let mut model = Self { image, packages: Vec::new() };
        let mut places = BTreeMap::new();
        for (_, packages) in image.layers {
            for package in *packages {
                model.add(package, history, &mut places);
            }
        }
        model
    }

    fn add(
        &mut self,
        name: &str,
        history: &'a History,
        places: &mut BTreeMap<String, Option<usize>>,
    ) -> Option<usize> {
        if let Some(place) = places.get(name) {
            return *place;
        }
        let (name, package) = history.packages.get_key_value(name)?;
        places.insert(name.clone(), None);
        let dependencies = package
            .dependencies
            .iter()
            .filter_map(|dependency| self.add(dependency, history, places))
            .collect();
        self.packages.push((name, package, dependencies));
        places.insert(name.clone(), Some(self.packages.len() - 1));
        Some(self.packages.len() - 1)
    }

    /// The names of all packages.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.packages.iter().map(|(name, ..)| *name)
    }

    /// What each update changed: one for each week from `from` to `to` in which a package did.
    pub(crate) fn updates(&self, history: &'a History, from: u32, to: u32) -> Vec<BTreeSet<&'a str>> {
        let mut weeks: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for (_, package, _) in &self.packages {
            let days = history.changes.get(&package.source).into_iter().flatten();
            for day in days.filter(|day| (from..to).contains(*day)) {
                weeks.entry((day - from) / 7).or_default().insert(&package.source);
            }
        }
        weeks.into_values().collect()
    }

    /// The closures of a history: the first, and one after each update. Each has the same paths in other versions; with it comes
    /// which path of the model each of its paths is.
    pub(crate) fn closures(&self, updates: &[BTreeSet<&'a str>]) -> Vec<(Closure, Vec<usize>)> {
        let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
        let mut closures = vec![self.closure(&versions, 0)];
        for (count, update) in updates.iter().enumerate() {
            for source in update {
                *versions.entry(source).or_default() += 1;
            }
            closures.push(self.closure(&versions, count + 1));
        }
        closures
    }

    fn closure(&self, versions: &BTreeMap<&str, u32>, updates: usize) -> (Closure, Vec<usize>) {
        let mut paths: Vec<(StorePath, Vec<usize>)> = Vec::new();
        let mut place = |name: String, kib: u64, references: Vec<usize>| {
            let below: Vec<&str> =
                references.iter().map(|index: &usize| paths[*index].0.store_path.as_str()).collect();
            let hash = Digest::of(format!("{name} {below:?}").as_bytes()).hex();
            let path = StorePath {
                store_path: format!("/nix/store/{}-{name}", &hash[..32]),
                nar_hash: Digest::of(hash.as_bytes()),
                nar_size: varied(kib << 10, &name),
                references: Vec::new(),
            };
            paths.push((path, references));
            paths.len() - 1
        };
        for (name, package, dependencies) in &self.packages {
            let version = versions.get(package.source.as_str()).copied().unwrap_or(0);
            // As Nix names the outputs of one derivation.
            place(format!("{}-{version}-{name}", package.source), package.kib.max(4), dependencies.clone());
        }
        let named = |name: &str| self.packages.iter().position(|(other, ..)| *other == name);
        let mut roots: Vec<(&str, Vec<usize>)> = Vec::new();
        for (layer, packages) in self.image.layers {
            roots.push((layer, packages.iter().filter_map(|package| named(package)).collect()));
        }
        if let Some(kib) = self.image.own_kib {
            let below = roots.last().map(|(_, roots)| roots.clone()).unwrap_or_default();
            let own = place(format!("{OWN}-0.{updates}"), kib, below);
            match roots.iter_mut().find(|(layer, _)| *layer == "apps") {
                Some((_, apps)) => apps.push(own),
                None => roots.push(("apps", vec![own])),
            }
        }
        sorted(&paths, &roots)
    }
}

/// Versions of a package differ in size a little.
fn varied(size: u64, name: &str) -> u64 {
    let byte = u64::from(Digest::of(name.as_bytes()).as_bytes()[0]);
    size - size / 25 + size * 2 / 25 * byte / 255
}

fn sorted(paths: &[(StorePath, Vec<usize>)], roots: &[(&str, Vec<usize>)]) -> (Closure, Vec<usize>) {
    let mut order: Vec<usize> = (0..paths.len()).collect();
    order.sort_by(|a, b| paths[*a].0.store_path.cmp(&paths[*b].0.store_path));
    let mut index = vec![0_u32; paths.len()];
    for (new, old) in (0_u32..).zip(&order) {
        index[*old] = new;
    }
    let path = |old: &usize| {
        let mut references: Vec<u32> = paths[*old].1.iter().map(|reference| index[*reference]).collect();
        references.sort_unstable();
        references.dedup();
        StorePath { references, ..paths[*old].0.clone() }
    };
    let output = |(layer, roots): &(&str, Vec<usize>)| LayerRoots {
        layer: (*layer).to_owned(),
        roots: roots.iter().map(|root| index[*root]).collect(),
    };
    let closure =
        Closure { paths: order.iter().map(path).collect(), outputs: roots.iter().map(output).collect() };
    (closure, order)
}
