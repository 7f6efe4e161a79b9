//! How likely a set of paths is to change with the next update.
//!
//! A store path changes whenever anything in its closure does. So what counts for a path is not how often its own
//! package changes, but which packages are in its closure and how often each of those changes: two paths with nearly the
//! same packages below them change together, and belong into one layer.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use seed_plugin::selector::{Closure, LayerLock};

/// How many packages are told apart at most. Of more, the smallest share columns: what a call costs grows with the product
/// of this and the number of paths.
const COLUMNS: usize = 512;

/// Rates are counted in changes per this many updates.
const UNIT: u32 = 256;

/// The highest class of rates: 2^8 units are one change per update.
const TOP: u32 = 8;

/// How many updates of a layer lock's history weigh as much as what is assumed of a package without one.
const ASSUMED: u32 = 16;

/// The class of packages that the user asked for in `apps`: a project's own, which changes most often.
const OWN: u32 = 6;

/// The packages that can change each path, as rows of bits. Columns of one class of rates fill whole words, so that a
/// row's rate is a weighted count of bits.
#[derive(Debug)]
pub(crate) struct Rates {
    words: usize,
    rows: Vec<u64>,
    /// The rate of each bit of a word, in units.
    weights: Vec<u32>,
}

/// A row of bits.
pub(crate) type Row = Box<[u64]>;

/// The outputs of one package in one version, which change together.
struct Package {
    /// In bytes, all paths.
    size: u64,
    /// How many paths there are.
    paths: u32,
    requested: Option<Requested>,
    /// One of the paths.
    first: u32,
}

/// Hashes names in a fraction of the time that the default takes. What is looked up does not depend on it.
#[derive(Default)]
struct Names(u64);

impl Hasher for Names {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// What it means that the user asked for a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Requested {
    /// It is what others build on.
    Other,
    /// It is the project's own.
    Own,
}

impl Rates {
    /// Finds out what can change each path of a closure, whose paths have these names. `requested` are the paths that the user asked for.
    pub(crate) fn new(
        closure: &Closure,
        names: &[&str],
        requested: &[(u32, Requested)],
        layer_lock: Option<&LayerLock>,
    ) -> Self {
        let mut packages: Vec<Package> = Vec::new();
        let mut package_of = Vec::with_capacity(closure.len() as usize);
        let mut known: HashMap<&str, usize, BuildHasherDefault<Names>> = HashMap::default();
        for path in 0..closure.len() {
            let mut new = || {
                packages.push(Package { size: 0, paths: 0, requested: None, first: path });
                packages.len() - 1
            };
            let index = match seed_store_path::release(names[path as usize]) {
                Some(release) => *known.entry(release).or_insert_with(new),
                None => new(),
            };
            packages[index].size += closure.nar_size(path);
            packages[index].paths += 1;
            package_of.push(index);
        }
        for (path, kind) in requested {
            let package = &mut packages[package_of[*path as usize]];
            package.requested = package.requested.max(Some(*kind));
        }
        let changes: HashMap<&str, u32> = layer_lock
            .iter()
            .flat_map(|layer_lock| &layer_lock.changes)
            .map(|c| (c.package.as_str(), c.changes))
            .collect();
        let class = |package: &Package| {
            let changes = changes.get(seed_store_path::package(names[package.first as usize]));
            class(
                package,
                changes.copied().unwrap_or(0),
                layer_lock.map_or(0, |layer_lock| layer_lock.updates),
            )
        };
        let classes: Vec<u32> = packages.iter().map(class).collect();
        let (columns, weights) = columns(&packages, &classes);
        let mut rates =
            Self { words: weights.len(), rows: vec![0; weights.len() * closure.len() as usize], weights };
        rates.fill(closure, |path| {
            let package = package_of[path as usize];
            (columns[package].0, columns[package].1 && packages[package].paths == 1)
        });
        rates
    }

    /// Joins each path's row with those of what it refers to. `column` gives the bit of a path, and whether no other path
    /// has it.
    fn fill(&mut self, closure: &Closure, column: impl Fn(u32) -> (usize, bool)) {
        let order = bottom_up(closure);
        let mut rank = vec![0; order.len()];
        for (place, path) in (0_u32..).zip(&order) {
            rank[*path as usize] = place;
        }
        let words = self.words;
        let mut row = vec![0; words];
        for &path in &order {
            row.fill(0);
            let own = column(path).0;
            // The last of the references in this order has most of the others below it: those are done with it.
            let references = closure.references(path);
            let last = references.iter().copied().filter(|r| *r != path).max_by_key(|r| rank[*r as usize]);
            if let Some(last) = last {
                row.copy_from_slice(self.row(last));
            }
            let below = last.map_or(&[][..], |last| closure.references(last));
            for &reference in references {
                let (bit, alone) = column(reference);
                let is_there = alone && row[bit / 64] >> (bit % 64) & 1 == 1;
                if !is_there
                    && reference != path
                    && Some(reference) != last
                    && below.binary_search(&reference).is_err()
                {
                    join(&mut row, self.row(reference));
                }
            }
            row[own / 64] |= 1 << (own % 64);
            self.rows[path as usize * words..][..words].copy_from_slice(&row);
        }
    }

    /// The packages that can change a path.
    pub(crate) fn row(&self, path: u32) -> &[u64] {
        &self.rows[path as usize * self.words..][..self.words]
    }

    /// A row without packages.
    pub(crate) fn nothing(&self) -> Row {
        vec![0; self.words].into()
    }

    /// The chance that an update changes one of the packages of a row.
    pub(crate) fn chance(&self, row: &[u64]) -> f64 {
        chance(self.weights.iter().zip(row).map(|(weight, word)| weight * word.count_ones()).sum())
    }

    /// The chance that an update changes one of the packages of two rows.
    pub(crate) fn chance_of_both(&self, a: &[u64], b: &[u64]) -> f64 {
        let words = self.weights.iter().zip(a.iter().zip(b));
        chance(words.map(|(weight, (a, b))| weight * (a | b).count_ones()).sum())
    }
}

/// Adds the packages of one row to another.
pub(crate) fn join(row: &mut [u64], other: &[u64]) {
    for (word, other) in row.iter_mut().zip(other) {
        *word |= other;
    }
}

/// 1 - exp(-rate) nearly, in few operations and the same on every machine.
fn chance(units: u32) -> f64 {
    let quarter = 1.0 + f64::from(units) / f64::from(UNIT) / 4.0;
    let square = quarter * quarter;
    1.0 - 1.0 / (square * square)
}

/// The class of a package's rate: 2^class units.
fn class(package: &Package, changes: u32, updates: u32) -> u32 {
    // Larger packages have more in them that can be wrong or improved: four times the size, twice the changes.
    let by_size = (package.size >> 18).checked_ilog2().map_or(0, |log| log / 2 + 1).min(4);
    let assumed = match package.requested {
        None => by_size,
        Some(Requested::Other) => by_size + 1,
        Some(Requested::Own) => OWN,
    };
    if updates == 0 {
        return assumed;
    }
    let seen = u64::from(changes) * u64::from(UNIT) + (u64::from(ASSUMED) << assumed);
    let units = seen / (u64::from(updates) + u64::from(ASSUMED));
    // To the nearest power of two: the bit below the highest rounds up.
    let log = units.max(1).ilog2();
    (log + u32::from(log > 0 && units >> (log - 1) & 1 == 1)).min(TOP)
}

/// The column of each package, whether it has that alone, and the weight of each word of columns.
fn columns(packages: &[Package], classes: &[u32]) -> (Vec<(usize, bool)>, Vec<u32>) {
    // Larger than this they get columns of their own.
    let mut sizes: Vec<u64> = packages.iter().map(|package| package.size).collect();
    let limit = match sizes.len().checked_sub(COLUMNS) {
        None | Some(0) => 0,
        Some(small) => *sizes.select_nth_unstable(small).1,
    };
    let (mut columns, mut weights) = (vec![(0, false); packages.len()], Vec::new());
    for class in 0..=TOP {
        let members = (0..packages.len()).filter(|index| classes[*index] == class);
        let (large, small): (Vec<_>, Vec<_>) = members.partition(|index| packages[*index].size >= limit);
        for (count, index) in large.iter().enumerate() {
            columns[*index] = (weights.len() * 64 + count, true);
        }
        weights.extend(std::iter::repeat_n(1 << class, large.len().div_ceil(64)));
        for (count, index) in small.iter().enumerate() {
            columns[*index] = (weights.len() * 64 + count % 64, false);
        }
        weights.extend((!small.is_empty()).then_some(1 << class));
    }
    (columns, weights)
}

/// All paths, each after what it refers to. Where paths refer to each other, which Nix does not make, one of them is first.
fn bottom_up(closure: &Closure) -> Vec<u32> {
    let mut order = Vec::with_capacity(closure.len() as usize);
    let mut seen = vec![false; closure.len() as usize];
    let mut pending: Vec<(u32, usize)> = Vec::new();
    for root in 0..closure.len() {
        if std::mem::replace(&mut seen[root as usize], true) {
            continue;
        }
        pending.push((root, 0));
        while let Some((path, next)) = pending.last_mut() {
            let Some(&reference) = closure.references(*path).get(*next) else {
                order.push(*path);
                pending.pop();
                continue;
            };
            *next += 1;
            if !std::mem::replace(&mut seen[reference as usize], true) {
                pending.push((reference, 0));
            }
        }
    }
    order
}
