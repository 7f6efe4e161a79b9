//! A call of a plugin that failed, with its place in the pipeline file.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};
use seed_model::{Stage, StageError};
use seed_oci::StoreError;
use seed_report::{Kind, Problem, Problems, Report};
use seed_runtime::{Failure, PluginError};

use crate::plugins::ResolvedPlugin;
use crate::stages::context::Context;

/// Why a stage failed.
#[derive(Debug)]
pub(crate) struct StageFailure {
    error: Box<PluginError>,
    stage: Stage,
    file: NamedSource<Arc<str>>,
    label: Option<LabeledSpan>,
    /// What the plugin says of its configuration.
    problems: Option<Problems>,
    /// What failed in the host while the plugin ran: the plugin could only pass it on.
    host: Option<StoreError>,
}

impl StageFailure {
    /// `error`, which `plugin` gave.
    pub(crate) fn new(context: &Context<'_>, plugin: &ResolvedPlugin, error: PluginError) -> Self {
        let pipeline = context.pipeline;
        let problems = match &error.failure {
            Failure::Stage(StageError::Config(diagnostics)) => {
                let problems = diagnostics
                    .iter()
                    .filter(|diagnostic| diagnostic.severity == seed_model::Severity::Error);
                let problems = problems.map(|diagnostic| Problem {
                    code: diagnostic.code.clone(),
                    message: format!(
                        "{} {}: {}",
                        plugin.identity.name, plugin.identity.version, diagnostic.message
                    ),
                    label: "said of this".to_owned(),
                    span: plugin.used.config.span(diagnostic.config_path.as_deref().unwrap_or_default()),
                    help: diagnostic.help.clone(),
                });
                Problems::check(&pipeline.file, problems.collect()).err()
            }
            _ => None,
        };
        let span = Some(plugin.used.reference.span()).filter(|span| !span.is_empty());
        let label = span.map(|span| LabeledSpan::new_with_span(Some("this plugin".to_owned()), span));
        let host = context.blobs.take_failure();
        Self {
            error: Box::new(error),
            stage: plugin.used.stage,
            file: pipeline.file.named(),
            label,
            problems,
            host,
        }
    }
}

impl Report for StageFailure {
    fn kind(&self) -> Kind {
        if self.host.is_some() {
            return Kind::Failed;
        }
        match &self.error.failure {
            Failure::Stage(StageError::Config(_)) => Kind::Usage,
            Failure::Stage(StageError::Denied(_)) => Kind::Plugin,
            Failure::Stage(_) => match self.stage {
                Stage::Sign => Kind::Signature,
                Stage::Publish => Kind::Publish,
                Stage::Select | Stage::Pack => Kind::Plugin,
            },
            _ => Kind::Plugin,
        }
    }
}

impl fmt::Display for StageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problems, &self.host) {
            (Some(problems), _) => fmt::Display::fmt(problems, f),
            (None, Some(_)) => write!(f, "the cache failed while {} ran", self.error.plugin),
            (None, None) => fmt::Display::fmt(&self.error, f),
        }
    }
}

impl std::error::Error for StageFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.host.as_ref().map(|error| error as _)
    }
}

impl Diagnostic for StageFailure {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        if let Some(problems) = &self.problems {
            return problems.code();
        }
        if self.host.is_some() {
            return Some(Box::new("seed::cache::failed"));
        }
        Some(Box::new(match &self.error.failure {
            Failure::Stage(StageError::Config(_)) => "seed::stage::config",
            Failure::Stage(StageError::Denied(_)) => "seed::stage::denied",
            Failure::Stage(StageError::Transient(_)) => "seed::stage::transient",
            Failure::Stage(StageError::Auth(_)) => "seed::stage::auth",
            Failure::Stage(StageError::Remote(_)) => "seed::stage::remote",
            Failure::Stage(StageError::Failed(_)) => "seed::stage::failed",
            Failure::Limit(_) => "seed::stage::limit",
            Failure::Cancelled => "seed::stage::cancelled",
            Failure::Panic(_) | Failure::Exit(_) | Failure::Trap(_) => "seed::stage::trap",
            Failure::InvalidOutput(_) | Failure::Shape(_) => "seed::stage::invalid-output",
            Failure::Thread(_) => "seed::stage::thread",
        }))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        if let Some(problems) = &self.problems {
            return problems.help();
        }
        if let Some(host) = &self.host {
            return host.help().map(|help| Box::new(help) as Box<dyn fmt::Display>);
        }
        let help = match &self.error.failure {
            Failure::Stage(StageError::Denied(_)) => {
                Some(format!("add grants to this plugin's table, [[{}]]", self.stage.section()))
            }
            Failure::Stage(StageError::Transient(_)) => {
                Some("run again: `seed` keeps finished work and does only the rest".to_owned())
            }
            Failure::Stage(StageError::Auth(_)) => Some(
                "run `docker login HOST`, and grant the credentials: grants = { credentials = [\"HOST\"] }"
                    .to_owned(),
            ),
            _ => self.error.help(),
        };
        help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match &self.problems {
            Some(problems) => problems.labels(),
            None => Some(Box::new(self.label.clone().into_iter())),
        }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.problems.as_ref()?.related()
    }
}
