//! Reads typed values out of a TOML table and collects what is wrong with them.

use std::collections::BTreeSet;
use std::ops::Range;

use seed_report::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::suggest::did_you_mean;

/// One table of the file. Each key must be asked for; [`Section::finish`] reports those that were not.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// `[source]`, `[[sign]]`, …: for messages.
    title: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    known: BTreeSet<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(title: impl Into<String>, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Self { title: title.into(), span, table, known: BTreeSet::new() }
    }

    /// The place of the table.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// All entries with free names, in the order of the file.
    pub(super) fn entries(&self) -> Vec<(Spanned<String>, &'a Spanned<DeValue<'a>>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (Spanned::new(key.span(), key.get_ref().clone().into_owned()), value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// The value of `key`, which becomes a known key.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.insert(key);
        self.table.get(key)
    }

    pub(super) fn string(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        string(&format!("`{key}`"), value, problems)
    }

    pub(super) fn boolean(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Option<bool> {
        let value = self.value(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            problems.push(wrong_type(&format!("`{key}`"), "true or false", value));
        }
        found
    }

    pub(super) fn positive(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Option<u64> {
        let value = self.value(key)?;
        let found = value.get_ref().as_integer();
        let found = found.and_then(|found| u64::from_str_radix(found.as_str(), found.radix()).ok());
        let found = found.filter(|found| *found > 0);
        if found.is_none() {
            problems.push(wrong_type(&format!("`{key}`"), "a positive integer", value));
        }
        found
    }

    /// The table at a key, as a section of its own.
    pub(super) fn table(
        &mut self,
        key: &'static str,
        title: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Section<'a>> {
        let value = self.value(key)?;
        section(title, &format!("`{key}`"), value, problems)
    }

    /// The tables `[[key]]`.
    pub(super) fn tables(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let mut problem = wrong_type(&format!("`{key}`"), "an array of tables", value);
            problem.help = Some(format!("begin each table with a line `[[{key}]]`"));
            problems.push(problem);
            return Vec::new();
        };
        let title = format!("[[{key}]]");
        array.iter().filter_map(|item| section(&title, &format!("`{key}`"), item, problems)).collect()
    }

    /// Says that something required is missing, at the table's header.
    pub(super) fn missing(&self, key: &str, help: impl Into<String>) -> Problem {
        Problem {
            code: "seed::pipeline::missing-key".to_owned(),
            message: format!("missing key `{key}` in {}", self.title),
            label: format!("needs `{key}`"),
            span: Some(self.span.clone()),
            help: Some(help.into()),
        }
    }

    /// Reports unknown keys.
    pub(super) fn finish(self, problems: &mut Vec<Problem>) {
        for key in self.table.keys().filter(|key| !self.known.contains(key.get_ref().as_ref())) {
            let name = key.get_ref().as_ref();
            let help = did_you_mean(name, self.known.iter().copied()).unwrap_or_else(|| {
                let known: Vec<_> = self.known.iter().map(|key| format!("`{key}`")).collect();
                format!("{} takes {}", self.title, known.join(", "))
            });
            problems.push(Problem {
                code: "seed::pipeline::unknown-key".to_owned(),
                message: format!("unknown key `{name}` in {}", self.title),
                label: "not a key of this table".to_owned(),
                span: Some(key.span()),
                help: Some(help),
            });
        }
    }
}

/// A value that must be a table.
pub(super) fn section<'a>(
    title: &str,
    what: &str,
    value: &'a Spanned<DeValue<'a>>,
    problems: &mut Vec<Problem>,
) -> Option<Section<'a>> {
    let found = value.get_ref().as_table();
    if found.is_none() {
        problems.push(wrong_type(what, "a table", value));
    }
    found.map(|table| Section::new(title, value.span(), table))
}

/// A value that must be a string.
pub(super) fn string(
    what: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Spanned<String>> {
    let found = value.get_ref().as_str();
    if found.is_none() {
        problems.push(wrong_type(what, "a string", value));
    }
    found.map(|text| Spanned::new(value.span(), text.to_owned()))
}

/// A value that must be an array of strings.
pub(super) fn strings(
    what: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Spanned<String>>> {
    let Some(array) = value.get_ref().as_array() else {
        problems.push(wrong_type(what, "an array of strings", value));
        return None;
    };
    let before = problems.len();
    let found =
        array.iter().filter_map(|item| string(&format!("an item of {what}"), item, problems)).collect();
    (problems.len() == before).then_some(found)
}

/// `what` has another type than it must.
pub(super) fn wrong_type(what: &str, wanted: &str, found: &Spanned<DeValue<'_>>) -> Problem {
    let found_type = match found.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a floating-point number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    Problem {
        code: "seed::pipeline::wrong-type".to_owned(),
        message: format!("{what} must be {wanted}, not {found_type}"),
        label: format!("expected {wanted}"),
        span: Some(found.span()),
        help: None,
    }
}

/// A value that has the right type and still cannot be.
pub(super) fn invalid(message: impl Into<String>, span: Range<usize>, help: impl Into<String>) -> Problem {
    Problem {
        code: "seed::pipeline::invalid-value".to_owned(),
        message: message.into(),
        label: "here".to_owned(),
        span: Some(span),
        help: Some(help.into()),
    }
}
