//! Texts with variables of the source, such as the tag `{commit}`.

use std::fmt;

use crate::Pair;

/// Why a template cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// A variable that the source does not have.
    UnknownVariable {
        /// Its name.
        name: String,
        /// The variables that there are.
        known: Vec<String>,
    },
    /// A brace without its partner.
    Unbalanced,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVariable { name, known } if known.is_empty() => {
                write!(f, "unknown variable `{{{name}}}`: this source has none")
            }
            Self::UnknownVariable { name, known } => {
                write!(f, "unknown variable `{{{name}}}`; this source has {}", known.join(", "))
            }
            Self::Unbalanced => f.write_str("unbalanced brace"),
        }
    }
}

impl std::error::Error for TemplateError {}

/// Replaces each `{name}` by the variable's value. There is no escape for braces: no tag or reference may hold one.
pub fn expand(template: &str, variables: &[Pair]) -> Result<String, TemplateError> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        text.push_str(&rest[..brace]);
        let Some(after) = rest[brace..].strip_prefix('{') else { return Err(TemplateError::Unbalanced) };
        let Some((name, tail)) = after.split_once('}') else { return Err(TemplateError::Unbalanced) };
        let Some((_, value)) = variables.iter().find(|(known, _)| known == name) else {
            let known = variables.iter().map(|(known, _)| format!("`{{{known}}}`")).collect();
            return Err(TemplateError::UnknownVariable { name: name.to_owned(), known });
        };
        text.push_str(value);
        rest = tail;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Vec<Pair> {
        vec![("commit".into(), "c0ffee".into()), ("name".into(), "hello".into())]
    }

    #[test]
    fn expands_variables() {
        assert_eq!(expand("{name}-{commit}", &variables()).unwrap(), "hello-c0ffee");
        assert_eq!(expand("v1", &[]).unwrap(), "v1");
    }

    #[test]
    fn names_what_there_is() {
        let error = expand("{rev}", &variables()).unwrap_err();
        assert_eq!(error.to_string(), "unknown variable `{rev}`; this source has `{commit}`, `{name}`");
        assert_eq!(
            expand("{rev}", &[]).unwrap_err().to_string(),
            "unknown variable `{rev}`: this source has none"
        );
    }

    #[test]
    fn refuses_single_braces() {
        for text in ["{commit", "commit}", "}{"] {
            assert_eq!(expand(text, &variables()).unwrap_err(), TemplateError::Unbalanced, "{text}");
        }
    }
}
