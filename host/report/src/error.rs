//! What every error of `seed` can say, and a box for any of them.

use std::error::Error as StdError;
use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use crate::kind::Kind;

/// An error that can end a command. Implement it where the error is defined.
pub trait Report: Diagnostic + Send + Sync + 'static {
    /// What kind of failure it is.
    fn kind(&self) -> Kind;
}

/// Any error that can end a command. It shows as the error inside does, and is as small as a pointer.
///
/// It does not implement [`Report`], so that `?` can turn every `Report` into it.
pub struct Error(Box<dyn Report>);

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }
}

impl<E: Report> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl Diagnostic for Error {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn url<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.url()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.0.related()
    }

    fn diagnostic_source(&self) -> Option<&dyn Diagnostic> {
        self.0.diagnostic_source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::problems;
    use crate::text;

    #[test]
    fn a_boxed_error_shows_as_the_one_inside() {
        let bare = text::plain(&problems(2));
        let boxed = Error::from(problems(2));
        assert_eq!(text::plain(&boxed), bare);
        assert_eq!(boxed.kind(), Kind::Usage);
    }
}
