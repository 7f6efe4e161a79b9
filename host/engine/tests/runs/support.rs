//! A project in a directory of its own, with a cache of its own.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use seed_engine::events::Silent;
use seed_engine::summary::{PlanSummary, RunSummary, WhySummary};
use seed_engine::{
    Engine, EngineOptions, IndexOptions, Passwords, Pipeline, PlanOptions, PluginInspectOptions, RunOptions,
    WhyOptions,
};
use seed_process::Variables;
use seed_report::{Error, Kind, text};
use seed_tests::TestEnvironment;
use tempfile::TempDir;

/// Nobody to ask.
#[derive(Debug)]
struct NoPasswords;

impl Passwords for NoPasswords {
    fn password(&self, _name: &str, _file: &Path) -> Option<String> {
        None
    }
}

/// A pipeline file of the two directories, without plugins.
pub(crate) const SITE: &str = r#"
schema = 1
[source]
systems = ["x86_64-linux"]
[source.directories]
base = "base"
apps = "site"
[seed]
name = "site"
"#;

/// Two directories, a pipeline file, a cache.
pub(crate) struct Project(TestEnvironment);

impl Project {
    pub(crate) fn new(pipeline: &str) -> Self {
        let project = Self(TestEnvironment::new());
        project.write("base/etc/motd", "hello\n");
        project.write("site/srv/www/index.html", "<h1>hello</h1>\n");
        project.write("pipeline.toml", pipeline);
        project.add_compiled_plugins();
        project
    }

    /// A project with the pipeline file [`SITE`] and `more`.
    pub(crate) fn site(more: &str) -> Self {
        Self::new(&format!("{SITE}{more}"))
    }

    /// Gives the cache the builtin plugins, which are compiled once for all tests.
    fn add_compiled_plugins(&self) {
        static COMPILED: OnceLock<TempDir> = OnceLock::new();
        let compiled = COMPILED.get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            for name in ["standard-layers", "oci-packer", "oci-layout", "cosign-signer"] {
                let options = PluginInspectOptions { reference: format!("builtin:{name}") };
                engine(directory.path().to_owned(), false).plugin_inspect(&options).unwrap();
            }
            directory
        });
        let aot = self.path("cache/aot");
        for directory in [self.path("cache"), aot.clone()] {
            fs::DirBuilder::new().mode(0o700).create(directory).unwrap();
        }
        for entry in fs::read_dir(compiled.path().join("aot")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), aot.join(entry.file_name())).unwrap();
        }
        fs::copy(compiled.path().join("key"), self.path("cache/key")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.0.write(name, content);
    }

    pub(crate) fn engine(&self, require_lock: bool) -> Engine {
        engine(self.path("cache"), require_lock)
    }

    pub(crate) fn run(&self, options: &RunOptions) -> Result<RunSummary, Error> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        self.engine(false).run(&pipeline, options, Arc::new(Silent))
    }

    /// Composes the index over the image of `record`.
    pub(crate) fn index(&self, record: &str) -> Result<RunSummary, Error> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        let options = IndexOptions { records: vec![self.path(record)], ..IndexOptions::default() };
        self.engine(false).index(&pipeline, &options, Arc::new(Silent))
    }

    pub(crate) fn plan(&self) -> PlanSummary {
        self.try_plan().unwrap()
    }

    pub(crate) fn try_plan(&self) -> Result<PlanSummary, Error> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        self.engine(false).plan(&pipeline, &PlanOptions::default(), Arc::new(Silent))
    }

    pub(crate) fn why(&self, wanted: &str) -> Result<WhySummary, Error> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        let options = WhyOptions { wanted: wanted.to_owned(), ..WhyOptions::default() };
        self.engine(false).why(&pipeline, &options, Arc::new(Silent))
    }

    /// The kind and the text of an error, without the project's paths.
    pub(crate) fn rendered(&self, error: &Error) -> (Kind, String) {
        (error.kind(), self.0.redact_paths(&text::plain(error)))
    }
}

fn engine(cache: PathBuf, require_lock: bool) -> Engine {
    Engine::new(EngineOptions {
        cache_directory: Some(cache),
        threads: None,
        aot_cache: true,
        require_lock,
        compiler: None,
        network_time: None,
        passwords: Arc::new(NoPasswords),
        environment: Arc::new(Variables::default()),
    })
}
