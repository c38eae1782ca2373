//! A small file API, of the kind that doorward is put in front of: it serves a directory to
//! everybody who asks and knows nothing of users, passwords or homes.
//!
//! | method | on a file | on a directory |
//! |---|---|---|
//! | `GET`, `HEAD` | its bytes | a listing as JSON, or 301 to the spelling with `/` |
//! | `PUT` | replaced (204) or made (201) | 409 |
//! | `MKCOL` | 405 | made (201) |
//! | `DELETE` | removed | removed with all below |
//! | `MOVE` | renamed to `Destination` | renamed to `Destination` |
//!
//! It stays below its directory by refusing every path with a dot segment, an empty segment, or a
//! separator or NUL in an escape; it follows no symbolic link out, because it can make none.

mod content;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread::JoinHandle;

use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use self::content::Content;

/// A running file API on a thread of its own; dropping it ends the thread.
#[derive(Debug)]
pub struct FileApi {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FileApi {
    /// Serves `directory` on a free port of the loopback address.
    ///
    /// # Errors
    ///
    /// When the port cannot be bound or the thread cannot be started.
    pub fn start(directory: PathBuf) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = accept(listener, Rc::from(directory)) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("file-api".to_owned()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for FileApi {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, root: Rc<Path>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::task::spawn_local(serve(stream, Rc::clone(&root)))),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn serve(stream: TcpStream, root: Rc<Path>) {
    let service = service_fn(move |request| {
        let root = Rc::clone(&root);
        async move { Ok::<_, Infallible>(respond(&root, request).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    drop(connection.await); // a peer that went away is nobody's concern here
}

async fn respond(root: &Path, request: Request<Incoming>) -> Response<Content> {
    answer(root, request).await.unwrap_or_else(|error| {
        let mut response = text(error.status(), error.to_string());
        if matches!(error, ApiError::MethodNotAllowed) {
            let allowed = "GET, HEAD, PUT, DELETE, MKCOL, MOVE";
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    })
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("the path has a segment that names no file")]
    BadPath,
    #[error("the destination is missing or is not a path of this server")]
    BadDestination,
    #[error("something is in the way, or the parent directory is missing")]
    Conflict,
    #[error("the destination exists")]
    Exists,
    #[error("the root cannot be changed")]
    Forbidden,
    #[error("this is not a method of the file API")]
    MethodNotAllowed,
    #[error("there is no such file")]
    NotFound,
    #[error("the upload broke off")]
    Upload(#[from] hyper::Error),
    #[error("the file system says no")]
    Io(io::Error),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadPath | Self::BadDestination | Self::Upload(_) => StatusCode::BAD_REQUEST,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Exists => StatusCode::PRECONDITION_FAILED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::NotFound } else { Self::Io(error) }
    }
}

async fn answer(root: &Path, request: Request<Incoming>) -> Result<Response<Content>, ApiError> {
    let path = request.uri().path().to_owned();
    let file = locate(root, &path)?;
    match request.method().as_str() {
        "GET" | "HEAD" => read(&file, &path).await, // hyper leaves the body out for HEAD
        "PUT" => write(&file, request.into_body()).await,
        "MKCOL" => make_directory(&file).await,
        "DELETE" | "MOVE" if file == root => Err(ApiError::Forbidden),
        "DELETE" => remove(&file).await,
        "MOVE" => rename(root, &file, request.headers()).await,
        _ => Err(ApiError::MethodNotAllowed),
    }
}

/// The file that a path names, always below `root`.
fn locate(root: &Path, path: &str) -> Result<PathBuf, ApiError> {
    let relative = path.strip_prefix('/').ok_or(ApiError::BadPath)?;
    let relative = relative.strip_suffix('/').unwrap_or(relative);
    let mut file = root.to_owned();
    if relative.is_empty() {
        return Ok(file);
    }
    for segment in relative.split('/') {
        let name = percent_decode_str(segment).decode_utf8().map_err(|_| ApiError::BadPath)?;
        let bad = matches!(&*name, "" | "." | "..") || name.contains(['/', '\\', '\0']);
        if bad {
            return Err(ApiError::BadPath);
        }
        file.push(&*name);
    }
    Ok(file)
}

async fn read(file: &Path, path: &str) -> Result<Response<Content>, ApiError> {
    let metadata = fs::metadata(file).await?;
    if metadata.is_file() {
        let content = Content::File { file: File::open(file).await?, left: metadata.len() };
        let mut response = Response::new(content);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(metadata.len()));
        let kind = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        return Ok(response);
    }
    if !path.ends_with('/') {
        let mut response =
            text(StatusCode::MOVED_PERMANENTLY, "a directory ends in `/`".to_owned());
        let location = HeaderValue::try_from(format!("{path}/")).map_err(|_| ApiError::BadPath)?;
        response.headers_mut().insert(LOCATION, location);
        return Ok(response);
    }
    let listing = Listing { path: path.to_owned(), entries: entries(file).await? };
    let json = serde_json::to_string(&listing).map_err(|error| ApiError::Io(error.into()))?;
    let mut response = text(StatusCode::OK, json);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

#[derive(Debug, Serialize)]
struct Listing {
    path: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    size: u64,
}

async fn entries(directory: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut reader = fs::read_dir(directory).await?;
    while let Some(entry) = reader.next_entry().await? {
        let metadata = entry.metadata().await?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = if metadata.is_dir() { "directory" } else { "file" };
        entries.push(Entry { name, kind, size: metadata.len() });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Writes beside and renames over, so that an upload that breaks off leaves nothing.
async fn write(file: &Path, mut body: Incoming) -> Result<Response<Content>, ApiError> {
    let existing = fs::metadata(file).await.ok();
    if existing.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(ApiError::Conflict);
    }
    let parent = file.parent().ok_or(ApiError::Conflict)?;
    let upload = tempfile::NamedTempFile::new_in(parent).map_err(|_| ApiError::Conflict)?;
    let mut writer = File::from_std(upload.reopen()?);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            writer.write_all(&data).await?;
        }
    }
    writer.flush().await?;
    upload.persist(file).map_err(|error| ApiError::Io(error.error))?;
    let status = if existing.is_some() { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
    Ok(empty(status))
}

async fn make_directory(file: &Path) -> Result<Response<Content>, ApiError> {
    match fs::create_dir(file).await {
        Ok(()) => Ok(empty(StatusCode::CREATED)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(ApiError::MethodNotAllowed) // RFC 4918 §9.3.1
        }
        Err(_) => Err(ApiError::Conflict),
    }
}

async fn remove(file: &Path) -> Result<Response<Content>, ApiError> {
    if fs::metadata(file).await?.is_dir() {
        fs::remove_dir_all(file).await?;
    } else {
        fs::remove_file(file).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn rename(
    root: &Path,
    from: &Path,
    headers: &HeaderMap,
) -> Result<Response<Content>, ApiError> {
    let destination = headers.get("destination").and_then(|value| value.to_str().ok());
    let destination = destination.and_then(|value| value.parse::<http::Uri>().ok());
    let destination = destination.ok_or(ApiError::BadDestination)?;
    let to = locate(root, destination.path()).map_err(|_| ApiError::BadDestination)?;
    let source = fs::metadata(from).await?;
    if to == root || (source.is_dir() && to.starts_with(from)) {
        return Err(ApiError::Forbidden);
    }
    let existed = fs::metadata(&to).await.is_ok();
    if existed && headers.get("overwrite").is_some_and(|value| value == "F") {
        return Err(ApiError::Exists);
    }
    fs::rename(from, &to).await.map_err(|_| ApiError::Conflict)?;
    Ok(empty(if existed { StatusCode::NO_CONTENT } else { StatusCode::CREATED }))
}

fn text(status: StatusCode, mut text: String) -> Response<Content> {
    text.push('\n');
    let mut response = Response::new(Content::Text(Some(text.into())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn empty(status: StatusCode) -> Response<Content> {
    let mut response = Response::new(Content::Text(None));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;
