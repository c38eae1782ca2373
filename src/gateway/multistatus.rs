//! WebDAV's answers (RFC 4918 §13) on the way back: each `href` becomes what the principal calls
//! the place. Resources that the principal has no name for are left out.
//!
//! The XML is read and written event by event as the client takes it. One `response` element is
//! held until it ends, since it may turn out to be about somebody else's resource.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::Body as _;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesText, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, Writer};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::forward::body::{BodyError, UpstreamBody};
use crate::home::{HomeRule, Revealer};
use crate::resource::{CanonicalHost, PathPrefix};

/// The most that one `response` element may take.
const ELEMENT: usize = 1024 * 1024;
/// How much is written before the client has to take it.
const AHEAD: usize = 16 * 1024;
/// How deep elements may lie in each other.
const DEPTH: usize = 64;
/// The longest reference that is read.
const REFERENCE: usize = 16 * 1024;

/// What is needed for the way back, owned by the answer.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    /// How the route confines.
    pub(super) rule: HomeRule,
    /// The principal's home.
    pub(super) home: PathPrefix,
    /// The host that was asked, as text.
    pub(super) host: String,
    /// The upstream's host and port.
    pub(super) authority: Box<str>,
}

/// An answer on its way, being translated.
pub(super) struct Multistatus {
    translating: Pin<Box<dyn Future<Output = Result<(), quick_xml::Error>>>>,
    written: Rc<RefCell<Vec<u8>>>,
    failed: Rc<Cell<Option<BodyError>>>,
    has_ended: bool,
}

impl fmt::Debug for Multistatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multistatus").field("has_ended", &self.has_ended).finish_non_exhaustive()
    }
}

impl Multistatus {
    /// Translates this body.
    pub(super) fn new(body: UpstreamBody, way: Owned) -> Self {
        let written = Rc::new(RefCell::new(Vec::new()));
        let failed = Rc::new(Cell::new(None));
        let source = Source { body, data: Bytes::new(), failed: Rc::clone(&failed) };
        let sink = Rc::clone(&written);
        let translating = Box::pin(async move {
            let host = CanonicalHost::parse(&way.host).map_err(|_| fault("the host"))?;
            let see = Revealer {
                rule: &way.rule,
                home: &way.home,
                host: &host,
                authority: &way.authority,
            };
            translate(source, see, &sink).await
        });
        Self { translating, written, failed, has_ended: false }
    }

    /// The next piece of the translated answer.
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if !self.has_ended {
            match self.translating.as_mut().poll(cx) {
                Poll::Ready(Ok(())) => self.has_ended = true,
                Poll::Ready(Err(_)) => {
                    self.has_ended = true;
                    self.written.borrow_mut().clear();
                    let error = self.failed.take().unwrap_or(BodyError::Untranslatable);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Pending => {}
            }
        }
        let written = std::mem::take(&mut *self.written.borrow_mut());
        match (written.is_empty(), self.has_ended) {
            (false, _) => Poll::Ready(Some(Ok(Bytes::from(written)))),
            (true, true) => Poll::Ready(None),
            (true, false) => Poll::Pending,
        }
    }
}

/// The upstream's body as the XML reader takes it.
struct Source {
    body: UpstreamBody,
    data: Bytes,
    failed: Rc<Cell<Option<BodyError>>>,
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let data = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = data.len().min(buffer.remaining());
        buffer.put_slice(data.get(..length).unwrap_or_default());
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Source {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.data.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                None => break,
                Some(Ok(frame)) => this.data = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    this.failed.set(Some(error));
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
        Poll::Ready(Ok(&this.data))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let amount = amount.min(self.data.len());
        self.data.advance(amount);
    }
}

fn fault(what: &'static str) -> quick_xml::Error {
    quick_xml::Error::Io(std::sync::Arc::new(io::Error::new(io::ErrorKind::InvalidData, what)))
}

/// A `response` element that is being read.
struct Held {
    /// The depth of its start.
    depth: usize,
    is_foreign: bool,
}

/// Translates a whole answer into `sink`, which is to be emptied whenever this waits.
pub(crate) async fn translate(
    source: impl AsyncBufRead + Unpin,
    see: Revealer<'_>,
    sink: &RefCell<Vec<u8>>,
) -> Result<(), quick_xml::Error> {
    let mut reader = NsReader::from_reader(source);
    let mut buffer = Vec::new();
    let mut out = Writer::new(Vec::new());
    let (mut depth, mut held): (usize, Option<Held>) = (0, None);
    loop {
        buffer.clear();
        let (namespace, event) = reader.read_resolved_event_into_async(&mut buffer).await?;
        let is_dav = namespace == ResolveResult::Bound(Namespace("DAV:"));
        match event {
            Event::Eof => break,
            Event::DocType(_) => return Err(fault("a document type")),
            Event::Decl(ref declaration) => {
                let encoding = declaration.encoding().transpose()?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(fault("another encoding than UTF-8"));
                }
                out.write_event(event)?;
            }
            Event::Start(ref start) => {
                depth += 1;
                if depth > DEPTH {
                    return Err(fault("too deep"));
                }
                let name = start.local_name();
                if is_dav && name.as_ref() == "response" && held.is_none() {
                    held = Some(Held { depth, is_foreign: false });
                }
                let end = (is_dav && name.as_ref() == "href").then(|| start.to_end().into_owned());
                out.write_event(event)?;
                if let Some(end) = end {
                    let text = text(&mut reader).await?;
                    let seen = see.reference(text.trim());
                    if let (None, Some(held)) = (&seen, &mut held) {
                        // Of what it is about; anything else that has no name stays empty.
                        held.is_foreign |= held.depth + 1 == depth;
                    }
                    let seen = seen.unwrap_or_default();
                    out.write_event(Event::Text(BytesText::from_escaped(escape(&seen))))?;
                    out.write_event(Event::End(end))?;
                    depth -= 1;
                }
            }
            Event::End(_) => {
                out.write_event(event)?;
                let ended = held.take_if(|held| held.depth == depth);
                if ended.is_some_and(|held| held.is_foreign) {
                    out.get_mut().clear();
                }
                depth = depth.saturating_sub(1);
            }
            other @ (Event::Empty(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::PI(_)
            | Event::GeneralRef(_)) => out.write_event(other)?,
        }
        if held.is_none() {
            sink.borrow_mut().append(out.get_mut());
            std::future::poll_fn(|_| {
                if sink.borrow().len() < AHEAD { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        } else if out.get_ref().len() > ELEMENT {
            return Err(fault("too long an element"));
        }
    }
    if depth != 0 {
        return Err(fault("an end within an element"));
    }
    sink.borrow_mut().append(out.get_mut());
    Ok(())
}

/// The text of the element that has just begun, to its end.
async fn text(
    reader: &mut NsReader<impl AsyncBufRead + Unpin>,
) -> Result<String, quick_xml::Error> {
    let mut buffer = Vec::new();
    let mut text = String::new();
    loop {
        buffer.clear();
        match reader.read_event_into_async(&mut buffer).await? {
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(entity) => {
                if let Some(character) = entity.resolve_char_ref()? {
                    text.push(character);
                } else {
                    let name = entity.xml10_content();
                    let known = resolve_predefined_entity(&name);
                    text.push_str(known.ok_or_else(|| fault("an entity"))?);
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::End(_) => return Ok(text),
            Event::Start(_) | Event::Empty(_) | Event::Decl(_) | Event::DocType(_) | Event::Eof => {
                return Err(fault("an element within a reference"));
            }
        }
        if text.len() > REFERENCE {
            return Err(fault("too long a reference"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::{Mode, Place};

    async fn translated(xml: &str) -> Result<String, quick_xml::Error> {
        let rule = HomeRule {
            places: vec![Place::Path],
            mode: Mode::Rewrite,
            root: "/dav".parse().unwrap(),
            dialect: crate::resource::Dialect::Posix,
            ..HomeRule::default()
        };
        let (home, host) = ("/alice".parse().unwrap(), CanonicalHost::parse("gw.test").unwrap());
        let see = Revealer { rule: &rule, home: &home, host: &host, authority: "10.0.0.1:80" };
        let sink = RefCell::new(Vec::new());
        translate(xml.as_bytes(), see, &sink).await?;
        Ok(String::from_utf8(sink.into_inner()).unwrap())
    }

    fn response(href: &str) -> String {
        format!(
            "<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 200 OK</D:status></D:response>"
        )
    }

    fn multistatus(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">{inner}</D:multistatus>\n"
        )
    }

    #[tokio::test]
    async fn places_are_called_what_the_principal_calls_them() {
        for (upstream, seen) in [
            ("/dav/alice/", "/dav/"),
            ("/dav/alice", "/dav"),
            ("\n  /dav/alice/a%20b/ \n", "/dav/a%20b/"),
            ("http://10.0.0.1:80/dav/alice/a", "/dav/a"),
            ("https://gw.test/dav/alice/a", "https://gw.test/dav/a"),
            ("/dav/alice/a&amp;b", "/dav/a&amp;b"),
            ("<![CDATA[/dav/alice/a&b]]>", "/dav/a&amp;b"),
            ("/dav/alice/&#x61;", "/dav/a"),
        ] {
            let answer = translated(&multistatus(&response(upstream))).await.unwrap();
            assert_eq!(answer, multistatus(&response(seen)), "{upstream}");
        }
    }

    #[tokio::test]
    async fn what_is_not_the_principals_is_left_out() {
        let (own, seen) = (response("/dav/alice/a"), response("/dav/a"));
        for foreign in
            ["/dav/bob/a", "/dav/alice2", "/dav/", "/dav/alice/../bob", "/dav/%61lice/%2e%2e/bob"]
        {
            let answer = multistatus(&[own.as_str(), &response(foreign), &own].concat());
            let answer = translated(&answer).await.unwrap();
            assert_eq!(answer, multistatus(&[seen.as_str(), &seen].concat()), "{foreign}");
        }
    }

    #[tokio::test]
    async fn a_reference_of_a_property_that_has_no_name_is_empty() {
        let with = |href: &str| {
            format!(
                "<response xmlns='DAV:'><href>/dav/alice/a</href><propstat><prop><owner><href>{href}</href></owner></prop></propstat></response>"
            )
        };
        let seen = translated(&with("/dav/bob/")).await.unwrap();
        assert_eq!(seen, with("").replace("/dav/alice/a", "/dav/a"));
        let seen = translated(&with("mailto:alice")).await.unwrap();
        assert_eq!(seen, with("mailto:alice").replace("/dav/alice/a", "/dav/a"));
    }

    #[tokio::test]
    async fn elements_of_other_vocabularies_are_none_of_ours() {
        let other = "<a xmlns='urn:other'><href>/dav/bob</href></a>";
        assert_eq!(translated(other).await.unwrap(), other);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_cut_off() {
        let long = multistatus(&response(&"a".repeat(20_000)));
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        for broken in [
            "<!DOCTYPE a [<!ENTITY e '/dav/bob'>]><a xmlns='DAV:'><href>&e;</href></a>",
            "<a xmlns='DAV:'><href>&e;</href></a>",
            "<a xmlns='DAV:'><href><b>/dav/alice</b></href></a>",
            "<a xmlns='DAV:'><href>/dav/alice",
            "<a xmlns='DAV:'>",
            "<a></b>",
            "<?xml version='1.0' encoding='utf-16'?><a/>",
            &long,
            &deep,
        ] {
            assert!(translated(broken).await.is_err(), "{}", broken.get(..80).unwrap_or(broken));
        }
    }

    #[tokio::test]
    async fn one_element_is_bounded_and_their_number_is_not() {
        let filler = format!("<D:x>{}</D:x>", "y".repeat(ELEMENT));
        let big = multistatus(&format!("<D:response>{filler}</D:response>"));
        assert!(translated(&big).await.is_err());
    }
}
