//! Connections over HTTP/1.1 (RFC 9112): header names in Title-Case, as old clients and OGC's suites look for them, and
//! limits that `axum::serve` does not offer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use anyhow::bail;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

/// Open connections; each costs some kilobytes. Behind a proxy a few dozen do; this is what a flood may take.
const CONNECTIONS_MAX: usize = 1_024;

/// A request's head is some hundred bytes, also a kept-alive connection is closed after this silence.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that takes nothing for this long has gone: its thread and its connection are freed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest head: an address of some thousand signs with every filter, and a browser's cookies.
const HEAD_BYTES_MAX: usize = 64 * 1024;

const HEADERS_MAX: usize = 100;

/// What is under way may finish for this long once a stop is asked; systemd waits 90 s before it kills.
const GRACE: Duration = Duration::from_secs(20);

/// Where the kernel has no descriptor left, the next try comes after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// # Errors
/// The address is taken, or not of this machine.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let taken = || format!("impossible d'écouter sur {address} ; choisissez un autre port, par exemple --listen 127.0.0.1:8090");
    TcpListener::bind(address).await.with_context(taken)
}

/// Serves connections until `stopped` says so, then lets what is under way finish.
pub async fn accept<S>(socket: TcpListener, service: S, mut stopped: watch::Receiver<bool>)
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .title_case_headers(true);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(Box::pin(stream)), service.clone()));
        tokio::spawn(async move {
            // A client that leaves, or speaks no HTTP, is not news.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(socket);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("answers were cut: not finished {} s after the stop", GRACE.as_secs()),
    }
}

/// Asks `/ready` as a client does.
///
/// # Errors
/// No answer, or another one than 200.
pub async fn ask_ready(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if !answer.starts_with("HTTP/1.1 200 ") {
        bail!("{}", answer.lines().next().unwrap_or("no answer"));
    }
    Ok(())
}
