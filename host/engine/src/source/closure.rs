//! `[source.closure]`: store paths that were built before, and the reference graph that Nix wrote of them.
//!
//! Nothing is run and nothing but files is read, so that an image can be made inside a Nix build, where there is no
//! Nix, no network and no home.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use seed_model::{Installable, OutputRequest, Part};
use seed_nix::{Graph, GraphError};
use seed_report::{Kind, Report};

use crate::pipeline::{ClosureFiles, LayerPaths, Pipeline};
use crate::source::built::{Built, Place};

/// The largest graph file in bytes: about a hundred times that of a whole operating system.
const MAX_SIZE: u64 = 128 << 20;

/// Why a closure cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum ClosureError {
    /// A file cannot be read.
    #[error("cannot read the reference graph {}", path.display())]
    #[diagnostic(
        code("seed::source::graph-unreadable"),
        help(
            "in a Nix build, name `.attrs.json` in the initial build directory, which holds the structured attributes"
        )
    )]
    Unreadable {
        path: PathBuf,
        source: io::Error,
        #[source_code]
        file: NamedSource<Arc<str>>,
        #[label("named here")]
        span: SourceSpan,
    },
    /// A file does not hold a graph.
    #[error("invalid reference graph {}", path.display())]
    #[diagnostic(
        code("seed::source::graph"),
        help(
            "name the `.attrs.json` of a derivation with `__structuredAttrs` and `exportReferencesGraph`, \
             or a registration as written by `closureInfo` or `nix-store --dump-db`"
        )
    )]
    Graph {
        path: PathBuf,
        source: GraphError,
        #[source_code]
        file: NamedSource<Arc<str>>,
        #[label("named here")]
        span: SourceSpan,
    },
    /// A path that is needed is in none of the files.
    #[error("the closure of the layer `{layer}` is incomplete")]
    #[diagnostic(
        code("seed::source::incomplete-closure"),
        help(
            "list every path of `outputs` or `layers` in `exportReferencesGraph`, or register its full closure"
        )
    )]
    Incomplete {
        layer: String,
        source: GraphError,
        #[source_code]
        file: NamedSource<Arc<str>>,
        #[label("requested here")]
        span: SourceSpan,
    },
    /// A selector asked for something else.
    #[error("the selection plugin requested `{name}`, which is not in [source.closure]")]
    #[diagnostic(
        code("seed::source::not-in-closure"),
        help("add it to [source.closure]: a closure offers only the paths that it names")
    )]
    Unknown {
        /// What it asked for.
        name: String,
    },
}

impl Report for ClosureError {
    fn kind(&self) -> Kind {
        Kind::Source
    }
}

/// A closure whose graph was read.
#[derive(Debug)]
pub(crate) struct OpenClosure {
    graph: Graph,
    layers: Vec<LayerPaths>,
    variables: BTreeMap<String, String>,
}

impl OpenClosure {
    /// Reads the graph, and checks that it has the closure of every layer.
    pub(super) fn open(pipeline: &Pipeline, closure: &ClosureFiles) -> Result<Self, ClosureError> {
        let file = pipeline.file.named();
        let mut graph = Graph::default();
        for name in &closure.graph {
            let path = pipeline.file.directory().join(name.get_ref());
            let span = name.span().into();
            let text = match read(&path) {
                Ok(text) => text,
                Err(source) => return Err(ClosureError::Unreadable { path, source, file, span }),
            };
            if let Err(source) = graph.read(&text) {
                return Err(ClosureError::Graph { path, source, file, span });
            }
        }
        let opened = Self { graph, layers: closure.layers.clone(), variables: closure.variables.clone() };
        match opened.incomplete() {
            None => Ok(opened),
            Some((layer, span, source)) => Err(ClosureError::Incomplete { layer, source, file, span }),
        }
    }

    /// The first root whose closure the graph does not have: its layer, its place, and what is missing.
    fn incomplete(&self) -> Option<(String, SourceSpan, GraphError)> {
        let closure =
            |layer: &LayerPaths, roots: Vec<String>| self.graph.closure(&[(layer.layer.clone(), roots)]);
        let all = |layer: &&LayerPaths| {
            closure(layer, layer.roots.iter().map(|root| root.get_ref().clone()).collect()).is_err()
        };
        let layer = self.layers.iter().find(all)?;
        let missing = |root: &toml::Spanned<String>| {
            let error = closure(layer, vec![root.get_ref().clone()]).err()?;
            Some((layer.layer.clone(), root.span().into(), error))
        };
        layer.roots.iter().find_map(missing)
    }

    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    /// The layers. What a split derivation made is offered as its output, as a flake offers it.
    pub(super) fn available(&self) -> Vec<OutputRequest> {
        let request = |layer: &LayerPaths| {
            let installable = |root: &toml::Spanned<String>| Installable {
                attribute: root.get_ref().clone(),
                part: if layer.split { Part::Output(layer.layer.clone()) } else { Part::DefaultOutput },
            };
            OutputRequest {
                layer: layer.layer.clone(),
                installables: layer.roots.iter().map(installable).collect(),
            }
        };
        self.layers.iter().map(request).collect()
    }

    pub(super) fn build(&self, requests: &[OutputRequest]) -> Result<Built, ClosureError> {
        let available = self.available();
        let known: BTreeSet<_> = available.iter().flat_map(|layer| &layer.installables).collect();
        let mut layers = Vec::new();
        for request in requests {
            if let Some(strange) = request.installables.iter().find(|wanted| !known.contains(wanted)) {
                return Err(ClosureError::Unknown { name: strange.attribute.clone() });
            }
            let roots =
                request.installables.iter().map(|installable| installable.attribute.clone()).collect();
            layers.push((request.layer.clone(), roots));
        }
        let closure = self.graph.closure(&layers).expect("`open` found the closure of every root");
        let places = closure.paths.iter().map(|path| Place::in_store(&path.store_path)).collect();
        Ok(Built { closure, places, _roots: None })
    }
}

fn read(path: &Path) -> io::Result<String> {
    seed_disk::read_bounded_text(path, MAX_SIZE).map_err(|error| match error.kind() {
        kind @ io::ErrorKind::FileTooLarge => {
            io::Error::new(kind, format!("it has more than {MAX_SIZE} bytes"))
        }
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;

    use super::*;
    use crate::testing::rendered;
    use seed_report::SourceFile;

    const HASH: &str = "6ce6fe5f975394a88d7befc35bd67c4c8b957b09dc7473c3d6bffcdd01cc20cd";
    const TOOL: &str = "/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool";
    const BASE: &str = "/nix/store/ax2r82ckb9i8lbkfaryd1lilgk936gmz-seed-base";

    /// A source of the file `graph` with this content, and `section` below `[source.closure]`.
    fn open(content: &[u8], section: &str) -> Result<OpenClosure, String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("graph"), content).unwrap();
        let text = format!(
            "schema = 1\n[source.closure]\n{section}\n[seed]\nname = \"hello\"\n[[publish]]\nplugin = \"builtin:oci-layout\"\n"
        );
        let path = directory.path().join("pipeline.toml");
        let pipeline = Pipeline::parse(&SourceFile { path, text: text.into() }).unwrap();
        let crate::pipeline::Source::Closure(files) = &pipeline.source else {
            panic!("{:?}", pipeline.source)
        };
        OpenClosure::open(&pipeline, files)
            .map_err(|error| rendered(&error).replace(&*directory.path().to_string_lossy(), "DIR"))
    }

    fn registration() -> String {
        format!("{TOOL}\n{HASH}\n120\n\n0\n{BASE}\n{HASH}\n120\n\n1\n{TOOL}\n")
    }

    #[test]
    fn only_what_was_named_can_be_asked_for() {
        let outputs = format!("graph = \"graph\"\noutputs = {{ base = \"{BASE}\" }}");
        let closure = open(registration().as_bytes(), &outputs).unwrap();
        let mut available = closure.available();
        let built = closure.build(&available).unwrap();
        assert_eq!(built.closure.paths.len(), 2);
        assert_eq!(built.places[0].source, Path::new(TOOL));
        assert_eq!(available[0].installables[0].part, Part::Output("base".to_owned()));
        available[0].installables[0].attribute = TOOL.to_owned();
        assert_snapshot!(closure.build(&available).unwrap_err(), @"the selection plugin requested `/nix/store/29fm9z46kgr2s7nkgxm22h7hxshda04l-tool`, which is not in [source.closure]");
    }

    #[test]
    fn graphs_that_cannot_be_used() {
        let section = format!("graph = [\"graph\"]\nlayers = {{ apps = [\"{TOOL}\", \"{BASE}\"] }}");
        let error = |content: &[u8]| open(content, &section).unwrap_err();
        assert_snapshot!("graph_not_text", error(b"\xff"));
        assert_snapshot!("graph_outside", error(registration().replace(TOOL, "/etc/shadow").as_bytes()));
        let dangling = registration().replace("\n\n0\n", &format!("\n\n1\n{TOOL}-1.0\n"));
        assert_snapshot!("graph_dangling", error(dangling.as_bytes()));
        assert_snapshot!(
            "graph_incomplete",
            error(&registration().as_bytes()[..registration().find(BASE).unwrap()])
        );
        assert_snapshot!(
            "graph_missing",
            open(b"", &section.replace("[\"graph\"]", "[\"grahp\"]")).unwrap_err()
        );
    }
}
