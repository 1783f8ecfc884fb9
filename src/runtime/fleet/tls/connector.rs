//! [`TlsConnector`]: TLS around a connection of ureq. That crate's own knows no other name than that of the address.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::{config, name};
use crate::model::fleet::credentials::Tls;

/// The connection ended before both trusted each other.
pub(in crate::runtime::fleet) const CUT: &str = "the TLS handshake was cut";

/// Shakes hands on each connection to an `https://` address.
pub(in crate::runtime::fleet) struct TlsConnector {
    config: Option<Arc<ClientConfig>>,
    tls: Tls,
}

impl TlsConnector {
    /// Trusts as these settings say.
    ///
    /// # Errors
    /// A sentence, if a file is no good.
    pub(in crate::runtime::fleet) fn new(tls: &Tls) -> Result<Self, String> {
        Ok(Self {
            config: Some(Arc::new(config(tls)?)),
            tls: tls.clone(),
        })
    }

    /// For `http://` alone: no certificate is read.
    pub(in crate::runtime::fleet) fn none() -> Self {
        Self {
            config: None,
            tls: Tls::default(),
        }
    }

    fn name_of(&self, details: &ConnectionDetails<'_>) -> Result<ServerName<'static>, Error> {
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        name(&self.tls, bare).map_err(|why| Error::Io(io::Error::other(why)))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, Secured>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        let config = match &self.config {
            Some(config) if details.needs_tls() => Arc::clone(config),
            _ => return Ok(Some(Either::A(transport))),
        };
        let client = ClientConnection::new(config, self.name_of(details)?).map_err(of_tls)?;
        let adapter =
            TransportAdapter::new(Box::new(transport) as _, Arc::clone(&details.current_time));
        let mut stream = StreamOwned::new(client, adapter);
        stream.sock.set_timeout(details.timeout);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| {
                match Error::from(error) {
                    Error::Io(error) if is_end(&error) => Error::Tls(CUT),
                    other => other,
                }
            })?;
        }
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Either::B(Secured { buffers, stream })))
    }
}

fn of_tls(error: rustls::Error) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::InvalidData, error))
}

/// True for an alert of the peer, or a protocol error in what it sent.
fn is_told(error: &io::Error) -> bool {
    let inner = error.get_ref();
    inner
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .is_some()
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted
    )
}

/// A connection after its handshake.
pub(in crate::runtime::fleet) struct Secured {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").finish_non_exhaustive()
    }
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let Err(error) = self.stream.write_all(output) else {
            return Ok(());
        };
        // With TLS 1.3 a server refuses the certificate of its client after the handshake. What it says about that may lie
        // here already, while the connection takes nothing more.
        match self.stream.read(&mut [0]) {
            Err(told) if is_told(&told) => Err(told.into()),
            _ => Err(error.into()),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
