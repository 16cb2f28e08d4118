//! Accepted connections. The transport drops its own no-delay default for listeners that are
//! handed in, and without it one caller gets two dozen calls a second, so it is set here.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::Stream;

/// The connections that a listener accepts; a listener may be handed on to a next server.
#[derive(Debug)]
pub(super) struct Incoming(pub(super) Arc<TcpListener>);

impl Stream for Incoming {
    type Item = std::io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.0.poll_accept(context));
        Poll::Ready(Some(accepted.and_then(|(stream, _)| {
            stream.set_nodelay(true)?;
            Ok(stream)
        })))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio_stream::StreamExt;

    #[tokio::test]
    async fn accepted_connections_do_not_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let (plain, _) = listener.accept().await.unwrap();
        assert!(
            !plain.nodelay().unwrap(),
            "the system's default would make this test empty"
        );
        let _client = TcpStream::connect(address).await.unwrap();
        let mut accepted = Incoming(Arc::new(listener));
        assert!(accepted.next().await.unwrap().unwrap().nodelay().unwrap());
    }
}
