//! Images for Darwin: no container engine runs them, so they carry store paths and nothing else.

use seed_plugin::Diagnostic;
use seed_plugin::selector::SelectRequest;

use crate::config::Config;

/// Whether the image is for Darwin.
pub(crate) fn is_darwin(request: &SelectRequest) -> bool {
    request.platform.os == "darwin"
}

/// The configuration without what only containers have, and a note on what of that was asked for: one pipeline file
/// serves all systems.
pub(crate) fn outputs_only(config: &Config, request: &SelectRequest) -> (Config, Vec<Diagnostic>) {
    let asked = [
        ("entrypoint", !config.entrypoint.is_empty()),
        ("cmd", !config.cmd.is_empty()),
        ("env", !config.env.is_empty()),
        ("user", config.user.is_some()),
        ("working-dir", config.working_dir.is_some()),
        ("exposed-ports", !config.exposed_ports.is_empty()),
        ("volumes", !config.volumes.is_empty()),
        ("stop-signal", config.stop_signal.is_some()),
        ("links", !config.links.is_empty()),
        ("users", config.users == Some(true)),
        ("tmp", config.tmp == Some(true)),
    ];
    let left_out: Vec<String> =
        asked.iter().filter(|(_, asked)| *asked).map(|(key, _)| format!("`{key}`")).collect();
    let notes = if left_out.is_empty() { Vec::new() } else { vec![note(request, &left_out.join(", "))] };
    let config = Config {
        layers: config.layers.clone(),
        max_layers: config.max_layers,
        labels: config.labels.clone(),
        annotations: config.annotations.clone(),
        users: Some(false),
        tmp: Some(false),
        ..Config::default()
    };
    (config, notes)
}

fn note(request: &SelectRequest, left_out: &str) -> Diagnostic {
    let message = format!("images for {} hold only store paths: ignored {left_out}", request.system);
    Diagnostic::note("layering::darwin", &message)
}
