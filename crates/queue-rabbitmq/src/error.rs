use lapin::{
    ErrorKind,
    protocol::{AMQPErrorKind, AMQPSoftError},
};
use rapidphoto_application::ports::BoxError;

/// Reasons why the broker can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The URL is not that of a broker.
    #[error(
        "the URL of the message broker is invalid; it must be amqp://user@host:port/vhost or amqps://…, with a host name or an IPv4 address"
    )]
    Url,
    /// The prefix of names is invalid.
    #[error(
        "the prefix `{0}` of queues and exchanges is invalid; it must have 1 to 100 letters, digits, `.`, `_` or `-`"
    )]
    Prefix(String),
    /// A queue or exchange has other settings than this configuration.
    #[error(
        "{kind} `{name}` exists with other settings: {difference}. Restore the setting in the configuration, use another prefix, or delete the {kind} once it is empty (`rabbitmqctl delete_queue` or the management page); it is created again at the next start"
    )]
    Mismatch {
        /// `queue` or `exchange`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The broker's message, which names the setting with both values.
        difference: String,
    },
    /// The broker can't be reached, or has ended the connection or the channel.
    #[error("the message broker can't be reached, or has refused a request")]
    Unreachable(#[from] lapin::Error),
    /// The broker has not answered in time.
    #[error("the message broker has not answered for {0} s")]
    TimedOut(u64),
    /// The broker has ended a consumer, for example because its queue was deleted.
    #[error("the message broker has cancelled the consumer of `{0}`")]
    ConsumerCancelled(String),
    /// The broker has not stored a message.
    #[error("the message broker has not stored a message for `{0}`: its queue is missing or full")]
    NotStored(String),
    /// An event has no JSON form.
    #[error("an event can't be encoded")]
    Encoding(#[source] BoxError),
}

impl BrokerError {
    /// Error of a declaration.
    pub(crate) fn of_declaration(kind: &'static str, name: &str, error: lapin::Error) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(protocol)
                if *protocol.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) =>
            {
                Self::Mismatch {
                    kind,
                    name: name.to_owned(),
                    difference: protocol.get_message().to_string(),
                }
            }
            _ => error.into(),
        }
    }
}

/// An error with the chain of its sources, for the log.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = sources.map(ToString::to_string).collect();
    texts.join(": ")
}
