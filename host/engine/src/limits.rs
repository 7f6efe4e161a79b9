//! `[limits]` of the pipeline file, as the runtime's limits.

use seed_report::{Problem, Problems};
use seed_runtime::Limits;
use serde_json::{Map, Value};

use crate::pipeline::Pipeline;

/// The runtime's defaults with the pipeline's changes.
pub(crate) fn limits(pipeline: &Pipeline) -> Result<Limits, Problems> {
    let mut problems = Vec::new();
    let mut all = Map::new();
    for (name, limit) in &pipeline.limits {
        let one = Map::from_iter([(name.clone(), Value::from(*limit.get_ref()))]);
        if let Err(error) = serde_json::from_value::<Limits>(Value::Object(one.clone())) {
            problems.push(Problem {
                code: "seed::pipeline::unknown-key".to_owned(),
                message: format!("unknown limit `{}`", name.escape_debug()),
                label: "this limit".to_owned(),
                span: Some(limit.span()),
                help: Some(error.to_string()),
            });
        }
        all.extend(one);
    }
    Problems::check(&pipeline.file, problems)?;
    Ok(serde_json::from_value(Value::Object(all)).expect("each limit was read by itself"))
}
