//! A mailbox by IMAP (RFC 3501), with IDLE (RFC 2177) where the server has it.

use std::sync::Arc;
use std::time::Duration;

use async_imap::Session;
use futures_util::TryStreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::ServerName};

use crate::config::Mailbox;

/// How long one exchange with the server may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most mails fetched at once.
const TOGETHER: u32 = 50;

/// What a session speaks through.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Stream for T {}

/// An open mailbox.
#[derive(Debug)]
pub struct Inbox {
    session: Session<Box<dyn Stream>>,
    /// The validity of its numbers: another one, and they begin anew.
    pub validity: i64,
    idles: bool,
}

/// A mail as it came.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Its number in the mailbox.
    pub uid: i64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

async fn patient<T, E: std::fmt::Display>(work: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result.map_err(|e| crate::text::clean(&e.to_string()).into_owned()),
        Err(_) => Err(crate::locale::notify::no_answer(PATIENCE.as_secs())),
    }
}

async fn connect(config: &Mailbox) -> Result<Box<dyn Stream>, String> {
    let tcp = patient(TcpStream::connect((config.host.as_str(), config.port))).await?;
    if config.tls == "none" {
        return Ok(Box::new(tcp));
    }
    crate::net::use_ring();
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(config.host.clone()).map_err(|e| e.to_string())?;
    Ok(Box::new(patient(TlsConnector::from(Arc::new(tls)).connect(name, tcp)).await?))
}

impl Inbox {
    /// Connects, logs in and opens the folder.
    ///
    /// # Errors
    /// When the server does not answer or refuses; the password is not part of the sentence.
    pub async fn open(config: &Mailbox) -> Result<Self, String> {
        let password = config.password.reveal()?;
        let mut client = async_imap::Client::new(connect(config).await?);
        patient(async { client.read_response().await }).await?;
        let login = async { client.login(&config.username, &password).await.map_err(|(e, _)| e) };
        let mut session = patient(login).await?;
        let idles = patient(session.capabilities()).await?.has_str("IDLE");
        let mailbox = patient(session.select(&config.folder)).await?;
        Ok(Self { session, validity: i64::from(mailbox.uid_validity.unwrap_or_default()), idles })
    }

    /// Mails after number `after`, in order, a few at once. Reading does not mark them as seen.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn after(&mut self, after: i64) -> Result<Vec<Raw>, String> {
        let from = u32::try_from(after).unwrap_or(u32::MAX).saturating_add(1);
        let mut uids: Vec<u32> = patient(self.session.uid_search(format!("UID {from}:*"))).await?.into_iter().collect();
        // `n:*` always names the last one, even when it is before n
        uids.retain(|uid| *uid >= from);
        uids.sort_unstable();
        uids.truncate(TOGETHER as usize);
        let mut out = Vec::with_capacity(uids.len());
        for uid in uids {
            let fetch = async {
                let stream = self.session.uid_fetch(uid.to_string(), "(UID BODY.PEEK[])").await?;
                stream.try_collect::<Vec<_>>().await
            };
            let fetched = patient(fetch).await?;
            // a mail that somebody deleted meanwhile is not there any more
            let body = fetched.iter().find(|f| f.uid == Some(uid)).and_then(|f| f.body().map(<[u8]>::to_vec));
            out.push(Raw { uid: i64::from(uid), bytes: body.unwrap_or_default() });
        }
        Ok(out)
    }

    /// Marks a mail as seen.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn seen(&mut self, uid: i64) -> Result<(), String> {
        let store = async {
            let stream = self.session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)").await?;
            stream.try_collect::<Vec<_>>().await
        };
        patient(store).await.map(|_| ())
    }

    /// Waits until the server tells of something new, at most `most`; gives the mailbox back.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn wait(self, most: Duration) -> Result<Self, String> {
        let Self { session, validity, idles } = self;
        if !idles {
            tokio::time::sleep(most).await;
            return Ok(Self { session, validity, idles });
        }
        let mut idle = session.idle();
        patient(idle.init()).await?;
        let (news, stop) = idle.wait_with_timeout(most);
        let heard = news.await.map_err(|e| e.to_string());
        drop(stop);
        let session = patient(idle.done()).await?;
        heard?;
        Ok(Self { session, validity, idles })
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        _ = patient(self.session.logout()).await;
    }
}
