//! Accepted connections. The transport drops its own no-delay default for listeners that are
//! handed in, and without it one caller gets two dozen calls a second, so it is set here.

use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};

pub(super) fn incoming(
    listener: TcpListener,
) -> impl Stream<Item = std::io::Result<TcpStream>> + Send {
    TcpListenerStream::new(listener).map(|accepted| {
        let stream = accepted?;
        stream.set_nodelay(true)?;
        Ok(stream)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
        let mut accepted = std::pin::pin!(incoming(listener));
        assert!(accepted.next().await.unwrap().unwrap().nodelay().unwrap());
    }
}
