//! What a container runs, in words that container engines take.

use std::collections::BTreeSet;

use seed_model::ImagePlan;

use crate::check::error::PlanError;

/// Checks the configuration and annotations, and gives their size in bytes.
pub(super) fn check(plan: &ImagePlan) -> Result<usize, PlanError> {
    let config = &plan.config;
    let error = |field: String, reason: &str| Err(PlanError::Config { field, reason: reason.to_owned() });
    let lists = [
        ("entrypoint", &config.entrypoint),
        ("cmd", &config.cmd),
        ("env", &config.env),
        ("exposed-ports", &config.exposed_ports),
        ("volumes", &config.volumes),
    ];
    let mut size = 0_usize;
    for (name, list) in lists {
        for (index, value) in list.iter().enumerate() {
            size = size.saturating_add(value.len());
            if value.contains('\0') {
                return error(format!("{name}[{index}]"), "contains a NUL");
            }
        }
    }
    let mut names = BTreeSet::new();
    for (index, variable) in config.env.iter().enumerate() {
        match variable.split_once('=') {
            None | Some(("", _)) => return error(format!("env[{index}]"), "is not `NAME=value`"),
            Some((name, _)) if !names.insert(name) => {
                return error(format!("env[{index}]"), &format!("sets `{}` twice", name.escape_debug()));
            }
            Some(_) => {}
        }
    }
    if let Some(index) = config.exposed_ports.iter().position(|port| !is_port(port)) {
        return error(
            format!("exposed-ports[{index}]"),
            "is not a port such as `80`, `8080/tcp` or `53/udp`",
        );
    }
    if let Some(index) = config.volumes.iter().position(|path| !path.starts_with('/')) {
        return error(format!("volumes[{index}]"), "is not an absolute path");
    }
    if config.working_dir.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return error("working-dir".to_owned(), "is not an absolute path");
    }
    let word = |text: &String| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-".contains(c))
    };
    if config.stop_signal.as_ref().is_some_and(|signal| !word(signal)) {
        return error("stop-signal".to_owned(), "is not a signal such as `SIGTERM`");
    }
    let singles = [("user", &config.user), ("working-dir", &config.working_dir)];
    for (name, value) in singles {
        size = size.saturating_add(value.as_ref().map_or(0, String::len));
        if value.as_ref().is_some_and(|value| value.chars().any(char::is_control)) {
            return error(name.to_owned(), "contains a control character");
        }
    }
    for (kind, pairs) in [("labels", &config.labels), ("annotations", &plan.annotations)] {
        if pairs.contains_key("") {
            return error(kind.to_owned(), "have an empty name");
        }
        let lengths = pairs.iter().flat_map(|(name, value)| [name.len(), value.len()]);
        size = lengths.fold(size, usize::saturating_add);
    }
    Ok(size)
}

/// `80`, `8080/tcp`, …
fn is_port(text: &str) -> bool {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    number.parse::<u16>().is_ok_and(|port| port > 0) && matches!(protocol, "tcp" | "udp" | "sctp")
}
