//! The last stage: where images go.

use crate::bindings::publisher::exports::seed::pipeline::publishing as exports;
use crate::component::{Component, install_panic_hook, parse_config};
use crate::{Plugin, StageError};

pub use crate::Attachment;
pub use crate::files::{Content as FileContent, File, Written};
pub use exports::{Attached, Content, Image, Published, Request as PublishRequest};

/// A plugin of the publishing stage.
pub trait Publisher: Plugin {
    /// The repositories (`host/repository`, no tag) that [`publish`](Self::publish) will write to. Makes no request.
    fn targets(config: Self::Config, name: &str) -> Result<Vec<String>, StageError>;

    /// Publishes. What it needs is sent first and tags last, so that a failure leaves every tag as it was.
    fn publish(config: Self::Config, request: PublishRequest) -> Result<Vec<Published>, StageError>;
}

impl<P: Publisher> exports::Guest for Component<P> {
    fn targets(config: String, name: String) -> Result<Vec<String>, StageError> {
        install_panic_hook();
        P::targets(parse_config(&config)?, &name)
    }

    fn publish(request: PublishRequest) -> Result<Vec<Published>, StageError> {
        install_panic_hook();
        P::publish(parse_config(&request.config)?, request)
    }
}

/// Makes the crate a component of world `publisher` whose decisions are those of a [`Publisher`](crate::publisher::Publisher).
#[macro_export]
macro_rules! export_publisher {
    ($plugin:ty) => {
        $crate::__export!(publisher, export_publisher_world, PublisherGuest, $plugin);
    };
}
