//! A project in a directory of its own, with a cache of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme};
use seed_engine::events::Silent;
use seed_engine::summary::{PlanSummary, RunSummary, WhySummary};
use seed_engine::{Category, Engine, EngineError, EngineOptions, Passwords, Pipeline, RunOptions};

/// Nobody to ask.
#[derive(Debug)]
struct NoPasswords;

impl Passwords for NoPasswords {
    fn password(&self, _name: &str, _file: &Path) -> Option<String> {
        None
    }
}

/// Two directories, a pipeline file, a cache.
pub(crate) struct Project(tempfile::TempDir);

impl Project {
    pub(crate) fn new(pipeline: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("base/etc/motd", "hello\n");
        project.write("site/srv/www/index.html", "<h1>hello</h1>\n");
        project.write("pipeline.toml", pipeline);
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn engine(&self, require_lock: bool) -> Engine {
        Engine::new(EngineOptions {
            cache_directory: self.path("cache"),
            threads: None,
            aot_cache: true,
            require_lock,
            passwords: Arc::new(NoPasswords),
        })
        .unwrap()
    }

    pub(crate) fn run(&self, options: &RunOptions) -> Result<RunSummary, EngineError> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        self.engine(false).run(&pipeline, options, Arc::new(Silent))
    }

    pub(crate) fn plan(&self) -> PlanSummary {
        self.try_plan().unwrap()
    }

    pub(crate) fn try_plan(&self) -> Result<PlanSummary, EngineError> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        self.engine(false).plan(&pipeline, &RunOptions::default(), Arc::new(Silent))
    }

    pub(crate) fn why(&self, wanted: &str) -> Result<WhySummary, EngineError> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        self.engine(false).why(&pipeline, &RunOptions::default(), wanted, Arc::new(Silent))
    }

    /// The category and the text of an error, with the project's directory as `DIR`.
    pub(crate) fn rendered(&self, error: &EngineError) -> (Category, String) {
        let mut text = String::new();
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
            .with_width(100)
            .with_wrap_lines(false)
            .with_links(false)
            .render_report(&mut text, error)
            .unwrap();
        let text = text.replace(self.0.path().to_str().unwrap(), "DIR");
        (error.category(), text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
    }
}
