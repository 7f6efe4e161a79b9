//! Errors for machines.

use miette::{Diagnostic, SourceCode};
use serde::Serialize;

use crate::place::Place;

/// The version of the JSON form of errors.
const SCHEMA: u32 = 1;

/// An error for machines: the one document that a failed command with `--json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JsonReport {
    schema: u32,
    error: JsonError,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonError {
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    code: Option<String>,
    message: String,
    causes: Vec<String>,
    help: Option<String>,
    places: Vec<JsonPlace>,
    related: Vec<JsonError>,
}

/// A place in a file that the user wrote; lines and columns (in characters) count from 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonPlace {
    file: String,
    line: usize,
    column: usize,
    label: String,
}

impl JsonReport {
    /// The report of an error that ends the process with `exit_code`.
    pub fn new(error: &dyn Diagnostic, exit_code: u8) -> Self {
        let mut error = JsonError::new(error, None);
        error.exit_code = Some(exit_code);
        Self { schema: SCHEMA, error }
    }
}

impl JsonError {
    fn new(error: &dyn Diagnostic, inherited: Option<&dyn SourceCode>) -> Self {
        let source = error.source_code().or(inherited);
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let labels = error.labels().into_iter().flatten();
        let related = error.related().into_iter().flatten();
        Self {
            exit_code: None,
            code: error.code().map(|code| code.to_string()),
            message: error.to_string(),
            causes: causes.map(ToString::to_string).collect(),
            help: error.help().map(|help| help.to_string()),
            places: labels.filter_map(|label| Place::find(source?, &label)).map(JsonPlace::from).collect(),
            related: related.map(|error| Self::new(error, source)).collect(),
        }
    }
}

impl From<Place> for JsonPlace {
    fn from(place: Place) -> Self {
        Self { file: place.file, line: place.line, column: place.column, label: place.label }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::problems;

    #[test]
    fn json_has_line_and_column() {
        let json = serde_json::to_string_pretty(&JsonReport::new(&problems(1), 2)).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "schema": 1,
          "error": {
            "exit-code": 2,
            "code": "seed::pipeline::unknown-key",
            "message": "pipeline.toml: unknown key `plugn` in `[select]`",
            "causes": [],
            "help": "did you mean `plugin`?",
            "places": [
              {
                "file": "pipeline.toml",
                "line": 4,
                "column": 1,
                "label": "not a key of `[select]`"
              }
            ],
            "related": []
          }
        }
        "#);
    }
}
