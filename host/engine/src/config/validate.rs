//! What is wrong in a `config`, with places in the pipeline file.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use seed_report::Problem;
use serde_json::Value;

use crate::config::schema::ConfigSchema;
use crate::pipeline::Config;
use crate::suggest::did_you_mean;
use crate::summary::PluginIdentity;

/// More problems than this are not shown: the first ones explain the rest.
const MAX_PROBLEMS: usize = 20;

impl ConfigSchema {
    /// Checks the configuration of `plugin`.
    pub(crate) fn problems(&self, plugin: &PluginIdentity, config: &Config) -> Vec<Problem> {
        let errors = self.validator.iter_errors(&config.value);
        errors.take(MAX_PROBLEMS).flat_map(|error| self.problem(plugin, config, &error)).collect()
    }

    fn problem(&self, plugin: &PluginIdentity, config: &Config, error: &ValidationError<'_>) -> Vec<Problem> {
        let pointer = error.instance_path().as_str();
        let of = format!("{} {}", plugin.name, plugin.version);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.properties(error.schema_path().as_str());
                let unknown = |key: &String| Problem {
                    code: "seed::config::unknown-key".to_owned(),
                    message: format!("{of} has no option `{}`", key.escape_debug()),
                    label: "not an option of this plugin".to_owned(),
                    span: config.span(&format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))),
                    help: did_you_mean(key, known.iter().copied()).or_else(|| takes(&of, &known)),
                };
                unexpected.iter().map(unknown).collect()
            }
            ValidationErrorKind::Required { property } => vec![Problem {
                code: "seed::config::missing-key".to_owned(),
                message: format!("{of} requires the option {}", backticks(property)),
                label: format!("needs {}", backticks(property)),
                span: config.span(pointer),
                help: self.description(pointer, property),
            }],
            _ => vec![Problem {
                code: "seed::config::invalid-value".to_owned(),
                message: format!("{of} rejects this value: {error}"),
                label: "rejected by the plugin".to_owned(),
                span: config.span(pointer),
                help: parent(error.schema_path().as_str(), &self.document)
                    .and_then(|schema| schema.get("description")?.as_str())
                    .map(str::to_owned),
            }],
        }
    }

    /// The names of the properties beside the keyword at `schema_path`.
    fn properties(&self, schema_path: &str) -> Vec<&str> {
        let properties = parent(schema_path, &self.document).and_then(|schema| schema.get("properties"));
        properties.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// The description of a property of the top level.
    fn description(&self, pointer: &str, property: &Value) -> Option<String> {
        let name = property.as_str().filter(|_| pointer.is_empty())?;
        let description = self.document.get("properties")?.get(name)?.get("description")?;
        description.as_str().map(|text| format!("`{name}`: {text}"))
    }
}

/// The schema that has the keyword at `schema_path`; none if a `$ref` lies on the way.
fn parent<'a>(schema_path: &str, document: &'a Value) -> Option<&'a Value> {
    document.pointer(schema_path.rsplit_once('/')?.0)
}

fn takes(plugin: &str, known: &[&str]) -> Option<String> {
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    (!known.is_empty()).then(|| format!("{plugin} takes {}", known.join(", ")))
}

fn backticks(property: &Value) -> String {
    format!("`{}`", property.as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use seed_model::Digest;
    use serde_json::json;

    use super::*;
    use crate::testing::{parse, rendered};
    use seed_report::Problems;

    fn error(config: &str) -> String {
        let schema = json!({
            "type": "object",
            "properties": {
                "compression": {"enum": ["gzip", "zstd", "none"], "description": "how layers are compressed"},
                "level": {"type": "integer", "minimum": 1, "maximum": 12},
                "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}},
                "path": {"type": "string", "description": "where the layout goes"},
            },
            "required": ["path"],
            "additionalProperties": false,
        });
        let schema = ConfigSchema::parse(&schema.to_string()).unwrap();
        let text = format!(
            "schema = 1\n[source]\nflake = \".\"\n[seed]\nname = \"a\"\n[[publish]]\nplugin = \"./p.wasm\"\n{config}"
        );
        let pipeline = parse(&text).unwrap();
        let plugin = PluginIdentity {
            reference: "./p.wasm".to_owned(),
            name: "packer".to_owned(),
            version: "1.2.0".to_owned(),
            digest: Digest::of(b""),
        };
        let problems = schema.problems(&plugin, &pipeline.publish[0].config);
        rendered(&Problems::check(&pipeline.file, problems).unwrap_err())
    }

    #[test]
    fn each_problem_has_its_place() {
        assert_snapshot!("config_without_required", error(""));
        assert_snapshot!(
            "config_unknown",
            error("config = { path = \"x\", compresion = \"gzip\", what = 1 }\n")
        );
        assert_snapshot!(
            "config_values",
            error(
                "[publish.config]\npath = 1\ncompression = \"brotli\"\nlevel = 99\ntags = [\"a\", \"B\"]\n"
            )
        );
    }

    #[test]
    fn schemas_that_cannot_be_used_are_errors() {
        let huge = " ".repeat(300_000);
        let schemas = [
            "{",
            r#"{"type": "strin"}"#,
            r#"{"pattern": "(a"}"#,
            r#"{"pattern": "((a{1000}){1000}){1000}"}"#,
            r#"{"$ref": "https://example.org/"}"#,
            &huge,
        ];
        let errors = schemas.map(|schema| ConfigSchema::parse(schema).unwrap_err().to_string());
        assert_snapshot!(errors.join("\n"));
    }
}
