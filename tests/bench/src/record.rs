//! Makes a history from the packages that are installed on this Debian system: `dpkg` knows sizes and dependencies, and
//! each package brings its changelog.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use miette::{IntoDiagnostic, Result, miette};

use crate::history::{History, Package};
use crate::image::{IMAGES, Model};

const FORMAT: &str =
    "${Package}\\t${source:Package}\\t${Installed-Size}\\t${Depends}, ${Pre-Depends}\\t${Provides}\\n";

/// Days before this are older than what is replayed: 2021-09-01.
const FIRST_DAY: u32 = 18_871;

/// Writes the packages of all images, with their changes.
pub(crate) fn record(path: &Path) -> Result<()> {
    let output =
        Command::new("dpkg-query").args(["--show", "--showformat", FORMAT]).output().into_diagnostic()?;
    let text = String::from_utf8(output.stdout).into_diagnostic()?;
    let mut history = History { packages: packages(&text), changes: BTreeMap::new() };
    let mut used = BTreeSet::new();
    for image in &IMAGES {
        for name in image.layers.iter().flat_map(|(_, packages)| *packages) {
            if !history.packages.contains_key(*name) {
                return Err(miette!("the package {name} of the image `{}` is not installed", image.name));
            }
        }
        used.extend(Model::new(image, &history).names().map(str::to_owned));
    }
    history.packages.retain(|name, _| used.contains(name));
    for (name, package) in &mut history.packages {
        package.dependencies.retain(|dependency| used.contains(dependency));
        if !history.changes.contains_key(&package.source) {
            history.changes.insert(package.source.clone(), days(name)?);
        }
    }
    fs::write(path, history.text()).into_diagnostic()
}

fn packages(text: &str) -> BTreeMap<String, Package> {
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    // `name (>= 1)`, `name:any`: the name.
    let bare = |text: &str| text.trim().split([' ', ':']).next().unwrap_or_default().to_owned();
    let mut provided = BTreeMap::new();
    for row in &rows {
        for virtual_name in row[4].split(',').map(bare) {
            provided.entry(virtual_name).or_insert(row[0]);
        }
    }
    let installed = |alternative: &str| {
        let name = bare(alternative);
        let name = names.get(name.as_str()).or_else(|| provided.get(&name)).copied();
        name.map(str::to_owned)
    };
    let package = |row: &Vec<&str>| {
        let wanted = row[3].split(',').filter_map(|one| one.split('|').find_map(installed));
        let dependencies: BTreeSet<String> = wanted.filter(|name| name != row[0]).collect();
        let kib = row[2].parse().unwrap_or(0);
        let package =
            Package { source: row[1].to_owned(), kib, dependencies: dependencies.into_iter().collect() };
        (row[0].to_owned(), package)
    };
    rows.iter().map(package).collect()
}

/// The days of a package's versions, from its changelog.
fn days(package: &str) -> Result<Vec<u32>> {
    let names = ["changelog.Debian.gz", "changelog.Debian.amd64.gz", "changelog.gz"];
    let mut files = names.iter().map(|name| Path::new("/usr/share/doc").join(package).join(name));
    let file = files.find_map(|path| File::open(path).ok());
    let file = file.ok_or_else(|| miette!("the package {package} has no changelog"))?;
    let mut bytes = Vec::new();
    MultiGzDecoder::new(file).read_to_end(&mut bytes).into_diagnostic()?;
    let text = String::from_utf8_lossy(&bytes);
    let signed = text.lines().filter_map(|line| line.strip_prefix(" -- ")?.rsplit_once(">  "));
    let days: BTreeSet<u32> =
        signed.filter_map(|(_, date)| day(date)).filter(|day| *day >= FIRST_DAY).collect();
    Ok(days.into_iter().collect())
}

/// The day of a date as changelogs write it, `Fri, 03 Apr 2026 14:29:32 +0200`, counted from 1970-01-01.
fn day(date: &str) -> Option<u32> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = date.split_whitespace().skip(1);
    let day: u32 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = u32::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year: u32 = words.next()?.parse().ok()?;
    // Years that begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}
