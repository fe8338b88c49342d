//! A way through an HTTP proxy, for TLS.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use volley_net::{HttpError, HttpResult};

/// Bytes of a proxy's answer; a longer one is none.
const MAX_ANSWER: usize = 16 << 10;

/// Asks the proxy at the other end for a way to `authority`, which is a host and a port. What is sent afterwards goes there.
pub(super) async fn open_tunnel<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, authority: &str) -> HttpResult<()> {
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(HttpError::Exchange)?;
    let mut answer = Vec::new();
    // Byte by byte: what comes behind the empty line is for TLS.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_ANSWER {
            return Err(refused("its answer does not end"));
        }
        answer.push(stream.read_u8().await.map_err(HttpError::Exchange)?);
    }
    let status = answer.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    if status.starts_with(b"2") {
        return Ok(());
    }
    Err(refused(&format!("it answers {}", String::from_utf8_lossy(status.get(..3).unwrap_or_default()))))
}

fn refused(reason: &str) -> HttpError {
    HttpError::Exchange(io::Error::other(format!("the proxy (`proxy.host`) opens no way to it: {reason}")))
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What comes of a proxy that answers so, and the bytes that are left for TLS.
    async fn tunnel(answer: &[u8]) -> (HttpResult<()>, Vec<u8>) {
        let (mut here, mut proxy) = duplex(MAX_ANSWER * 2);
        proxy.write_all(answer).await.unwrap();
        let outcome = open_tunnel(&mut here, "h:443").await;
        let mut asked = [0; 39];
        proxy.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n");
        drop(proxy);
        let mut left = Vec::new();
        here.read_to_end(&mut left).await.unwrap();
        (outcome, left)
    }

    #[tokio::test]
    async fn what_follows_the_proxys_answer_is_left_alone() {
        let (outcome, left) = tunnel(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n\x16\x03").await;
        assert!(outcome.is_ok());
        assert_eq!(left, b"\x16\x03");
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_named() {
        for (answer, named) in [
            (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], "answers 407"),
            (b"\r\n\r\n", "answers "),
            (&[b'x'; MAX_ANSWER], "does not end"),
        ] {
            let error = tunnel(answer).await.0.unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("`proxy.host`"), "{error}");
        }
    }
}
