//! `cargo xtask docs`: the documentation as a book.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use miette::{Result, miette};

use crate::paths::{repository, state_directory};
use crate::process::run;
use crate::tools::Tool;

/// Where links lead that leave `docs/`.
const SOURCES: &str = "https://github.com/seed-oci/seed/blob/main/";

const MDBOOK: Tool =
    Tool { name: "mdbook", version: "0.5.4", options: &["--no-default-features", "--features", "search"] };

/// Build the documentation as a book
///
/// Installs mdBook under the state directory unless it is on `PATH`.
#[derive(Debug, Args)]
pub(crate) struct DocsArgs {
    /// Open the book in a browser
    #[arg(long)]
    open: bool,
}

/// Builds the book and prints where it is.
pub(crate) fn docs(args: &DocsArgs) -> Result<()> {
    let book = build()?;
    println!("{}", book.join("index.html").display());
    if args.open {
        run(Command::new("xdg-open").arg(book.join("index.html")))?;
    }
    Ok(())
}

/// Builds the book; returns its directory.
pub(crate) fn build() -> Result<PathBuf> {
    let mdbook = MDBOOK.ensure()?;
    let state = state_directory()?;
    let (sources, book) = (state.join("book-sources"), state.join("book"));
    if sources.exists() {
        fs::remove_dir_all(&sources).map_err(|error| miette!("{}: {error}", sources.display()))?;
    }
    copy(&repository().join("docs"), &sources, "../")?;
    run(Command::new(mdbook).arg("build").arg(&sources).arg("--dest-dir").arg(&book))?;
    Ok(book)
}

/// Copies a directory of pages. `outside` is the relative path from it to the repository's root: links that begin with
/// it leave the book, and are made to lead to the sources.
fn copy(from: &Path, to: &Path, outside: &str) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| miette!("{path}: {error}")
    };
    fs::create_dir_all(to).map_err(failed(to))?;
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let path = entry.map_err(failed(from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target, &format!("../{outside}"))?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let page = fs::read_to_string(&path).map_err(failed(&path))?;
            let page = page.replace(&format!("]({outside}"), &format!("]({SOURCES}"));
            fs::write(&target, page).map_err(failed(&target))?;
        } else {
            fs::copy(&path, &target).map_err(failed(&path))?;
        }
    }
    Ok(())
}
