//! Whole runs over plain directories, with the builtin plugins.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seed_engine::events::Silent;
use seed_engine::summary::{LockState, RunSummary};
use seed_engine::{Engine, EngineError, EngineOptions, Passwords, Pipeline, RunOptions};

/// Nobody to ask.
#[derive(Debug)]
struct NoPasswords;

impl Passwords for NoPasswords {
    fn password(&self, _name: &str, _file: &Path) -> Option<String> {
        None
    }
}

/// A project of two directories, and a cache.
struct Project(tempfile::TempDir);

impl Project {
    fn new(pipeline: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(project.path("base/etc")).unwrap();
        fs::write(project.path("base/etc/motd"), "hello\n").unwrap();
        fs::create_dir_all(project.path("site/srv/www")).unwrap();
        fs::write(project.path("site/srv/www/index.html"), "<h1>hello</h1>\n").unwrap();
        fs::write(project.path("pipeline.toml"), pipeline).unwrap();
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn engine(&self) -> Engine {
        Engine::new(EngineOptions {
            cache_directory: self.path("cache"),
            threads: None,
            aot_cache: true,
            require_lock: false,
            passwords: Arc::new(NoPasswords),
        })
        .unwrap()
    }

    fn run(&self, options: &RunOptions) -> Result<RunSummary, EngineError> {
        let pipeline = Pipeline::load(&self.path("pipeline.toml"))?;
        self.engine().run(&pipeline, options, Arc::new(Silent))
    }
}

const PIPELINE: &str = r#"
schema = 1
[source.directories]
base = "base"
apps = "site"
[seed]
name = "site"
[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result", archive = "site.tar" }
"#;

#[test]
fn a_second_run_packs_and_writes_nothing() {
    let project = Project::new(PIPELINE);
    let first = project.run(&RunOptions::default()).unwrap();
    assert_eq!(first.lock, LockState::Created);
    let image = &first.images[0];
    let names: Vec<_> = image.layers.iter().map(|layer| (layer.name.as_str(), layer.cached)).collect();
    assert_eq!(names, [("base", false), ("apps", false)]);
    assert!(project.path("result/oci-layout").is_file());
    assert!(project.path("site.tar").is_file());

    let second = project.run(&RunOptions { locked: true, ..RunOptions::default() }).unwrap();
    assert_eq!(second.lock, LockState::Unchanged);
    assert_eq!(second.digest, first.digest);
    assert!(second.images[0].layers.iter().all(|layer| layer.cached));
    assert!(second.published.iter().all(|published| published.uploaded == 0), "{:?}", second.published);
}

#[test]
fn a_plan_tells_what_is_cached() {
    let project = Project::new(PIPELINE);
    let pipeline = Pipeline::load(&project.path("pipeline.toml")).unwrap();
    let plan = || project.engine().plan(&pipeline, &RunOptions::default(), Arc::new(Silent)).unwrap();
    let before = plan();
    assert!(before.images[0].layers.iter().all(|layer| layer.key.is_some() && !layer.cached));
    assert!(!project.path("seed.lock").exists() && !project.path("result").exists());
    project.run(&RunOptions::default()).unwrap();
    let after = plan();
    assert!(after.images[0].layers.iter().all(|layer| layer.cached));
    let keys = |plan: &seed_engine::summary::PlanSummary| -> Vec<_> {
        plan.images[0].layers.iter().map(|layer| layer.key).collect()
    };
    assert_eq!(keys(&before), keys(&after));
}
