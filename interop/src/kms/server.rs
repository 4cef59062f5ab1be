use alloc::sync::Arc;
use core::{
    convert::Infallible,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    io,
    net::TcpListener,
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use mikey::keymgmt::{MEDIA_TYPE, is_media_type};
use mikey_ticket::Refusal;
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

use super::MAX_MESSAGE;

/// A request that is not there in full after this long is given up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection is closed after this long.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// Connections at a time; more are closed at once.
const MAX_CONNECTIONS: usize = 256;

type Handler = dyn FnMut(&[u8]) -> Result<Vec<u8>, Refusal> + Send;

/// A node that listens, in a thread of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address`; each message that comes is given to `handle`, one after the other.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, such as one that is taken.
    pub fn start(
        address: SocketAddr,
        handle: impl FnMut(&[u8]) -> Result<Vec<u8>, Refusal> + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let handle: Arc<Mutex<Handler>> = Arc::new(Mutex::new(handle));
        let thread = std::thread::Builder::new()
            .name("kms".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, handle) => (),
                        _ = stopped => (),
                    }
                });
            })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves for as long as the process lives.
    pub fn serve(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, handle: Arc<Mutex<Handler>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, perhaps: some connection will end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (handle, open) = (Arc::clone(&handle), Arc::clone(&open));
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&handle)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off is its own affair.
            let _ = timeout(CONNECTION_TIMEOUT, connection).await;
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    handle: Arc<Mutex<Handler>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::POST {
        return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_media_type) {
        return Ok(empty(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let body = Limited::new(request.into_body(), MAX_MESSAGE).collect();
    let message = match timeout(REQUEST_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => return Ok(empty(StatusCode::REQUEST_TIMEOUT)),
    };
    // A shared replay cache makes it wait: not in the thread that serves the sockets.
    let outcome = spawn_blocking(move || {
        let mut handle = handle.lock().unwrap_or_else(PoisonError::into_inner);
        (*handle)(&message)
    });
    Ok(match outcome.await {
        Ok(Ok(answer)) => mikey(StatusCode::OK, answer),
        Ok(Err(refusal)) => match refusal.message() {
            Some(error) => mikey(StatusCode::FORBIDDEN, error.to_vec()),
            None => empty(StatusCode::FORBIDDEN),
        },
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    })
}

fn mikey(status: StatusCode, message: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(message.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
