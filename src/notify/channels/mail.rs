//! Mail by SMTP. The identity of a mail is made of the message's number and the ticket, so that an answer finds its
//! way back and a mail that was delivered twice is seen as one.

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::{Outgoing, SendError, TIMEOUT};
use crate::config::NotifyChannel;
use crate::locale::notify as say;
use crate::notify::model::{REPLY_ABOVE, mail_id, marker};

#[derive(Debug)]
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    domain: String,
    key: String,
}

/// `Auto-Submitted: auto-generated` (RFC 3834): no vacation answer comes back.
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

impl Mail {
    pub(super) fn open(config: &NotifyChannel) -> Result<Self, String> {
        crate::net::use_ring();
        let from: Mailbox = config.from.parse().map_err(|e| format!("{}: {e}", config.from))?;
        let domain = from.email.domain().to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(TIMEOUT));
        if config.tls != "none" {
            let parameters = TlsParameters::new_rustls(config.host.clone()).map_err(|e| e.to_string())?;
            builder = builder.tls(match config.tls.as_str() {
                "implicit" => Tls::Wrapper(parameters),
                _ => Tls::Required(parameters),
            });
        }
        if !config.username.is_empty() {
            builder = builder.credentials(Credentials::new(config.username.clone(), config.password.reveal()?));
        }
        Ok(Self { transport: builder.build(), from, domain, key: config.secret.reveal()? })
    }

    fn message(&self, m: &Outgoing) -> Result<Message, String> {
        let to: Mailbox = m.recipient.parse().map_err(|_| say::bad_address(&m.recipient))?;
        let subject = match m.ticket_id {
            Some(id) => format!("[OA#{id}] {}", m.subject.replace(['\r', '\n'], " ")),
            None => m.subject.replace(['\r', '\n'], " "),
        };
        let own = mail_id(&self.key, &self.domain, m.ticket_id.unwrap_or(0), m.id);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(own))
            .header(AutoSubmitted);
        if !m.thread.is_empty() {
            builder = builder.in_reply_to(m.thread.clone()).references(m.thread.clone());
        }
        let body = match m.ticket_id {
            Some(id) => format!("{REPLY_ABOVE}\n{}\n\n{}", m.body, marker(&self.key, id)),
            None => m.body.clone(),
        };
        builder.singlepart(SinglePart::plain(body)).map_err(|e| e.to_string())
    }

    pub(super) async fn send(&self, m: &Outgoing) -> Result<(), SendError> {
        let message = self.message(m).map_err(SendError::Never)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(e) if e.is_permanent() => Err(SendError::Never(crate::text::clean(&e.to_string()).into_owned())),
            Err(e) => Err(SendError::later(e)),
        }
    }
}
