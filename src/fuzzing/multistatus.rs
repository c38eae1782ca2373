//! The way back of WebDAV's answers: what was translated is XML, the same however the answer was cut
//! up, and every reference in it is one that the principal has a name for.
//!
//! An input is the body of the answer.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use tokio::io::{AsyncBufRead, BufReader};

use super::Oracle;
use crate::gateway::multistatus::translate;
use crate::home::{HomeRule, Mode, Place, Revealer};
use crate::resource::{CanonicalHost, CanonicalPath, Dialect, PathPrefix};

struct Multistatus {
    rule: HomeRule,
    home: PathPrefix,
    host: CanonicalHost<'static>,
}

pub(super) fn oracle() -> Option<Oracle> {
    let rule = HomeRule {
        places: vec![Place::Path],
        mode: Mode::Rewrite,
        root: "/dav".parse().ok()?,
        dialect: Dialect::Posix,
        ..HomeRule::default()
    };
    let host = CanonicalHost::parse("gw.test").ok()?;
    let multistatus = Multistatus { rule, home: "/alice".parse().ok()?, host };
    Some(Box::new(move |input| multistatus.ask(input)))
}

impl Multistatus {
    fn ask(&self, input: &[u8]) {
        let whole = self.translated(input);
        assert_eq!(whole, self.translated(BufReader::with_capacity(1, input)), "byte by byte");
        let (left, _) = super::cut(input);
        let size = left.len().max(1);
        assert_eq!(whole, self.translated(BufReader::with_capacity(size, input)), "cut");
        let Some(whole) = whole else { return };
        let known = references(input);
        // Readers of XML take a CR for a LF.
        let known = known.iter().filter_map(|it| self.seen(it)).map(|it| it.replace('\r', "\n"));
        let known: Vec<String> = known.collect();
        for reference in references(&whole) {
            let reference = reference.replace('\r', "\n");
            let is_known = reference.is_empty() || known.contains(&reference);
            assert!(is_known, "{reference:?} is none of {known:?}");
        }
    }

    /// What a reference of the upstream is for the principal, found by cutting texts.
    fn seen(&self, reference: &str) -> Option<String> {
        let reference = reference.trim();
        let see = Revealer {
            rule: &self.rule,
            home: &self.home,
            host: &self.host,
            authority: "10.0.0.1:80",
        };
        let seen = see.reference(reference)?;
        if let Some(path) = reference.strip_prefix("/dav/")
            && let Ok(path) = CanonicalPath::parse(&["/", path].concat())
        {
            let rest = path.as_str().strip_prefix("/alice");
            assert!(rest.is_some_and(|it| it.is_empty() || it.starts_with(['/'])), "{reference}");
        }
        Some(seen)
    }

    fn translated(&self, source: impl AsyncBufRead + Unpin) -> Option<Vec<u8>> {
        let see = Revealer {
            rule: &self.rule,
            home: &self.home,
            host: &self.host,
            authority: "10.0.0.1:80",
        };
        let (sink, mut whole) = (RefCell::new(Vec::new()), Vec::new());
        let mut translating = pin!(translate(source, see, &sink));
        loop {
            let polled = translating.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            whole.append(&mut sink.borrow_mut());
            match polled {
                Poll::Ready(Ok(())) => {
                    // Marks of the byte order may stay or go: they say nothing.
                    let mut bare = whole.as_slice();
                    while let Some(rest) = bare.strip_prefix(b"\xef\xbb\xbf") {
                        bare = rest;
                    }
                    return Some(bare.to_vec());
                }
                Poll::Ready(Err(_)) => return None,
                Poll::Pending => {} // the sink was full
            }
        }
    }
}

/// The texts of all DAV `href` elements, as they are read once more.
fn references(xml: &[u8]) -> Vec<String> {
    let mut reader = NsReader::from_reader(xml);
    let (mut buffer, mut found, mut open) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        buffer.clear();
        let Ok((namespace, event)) = reader.read_resolved_event_into(&mut buffer) else {
            return found;
        };
        let is_dav = namespace == ResolveResult::Bound(Namespace("DAV:"));
        match event {
            Event::Start(start) if is_dav && start.local_name().as_ref() == "href" => {
                open = Some(String::new());
            }
            Event::End(_) => found.extend(open.take()),
            Event::Text(piece) => {
                if let Some(open) = &mut open {
                    open.push_str(&piece.xml10_content());
                }
            }
            Event::CData(piece) => {
                if let Some(open) = &mut open {
                    open.push_str(&piece.xml10_content());
                }
            }
            Event::GeneralRef(entity) => {
                if let Some(open) = &mut open {
                    let known =
                        quick_xml::escape::resolve_predefined_entity(&entity.xml10_content());
                    match entity.resolve_char_ref() {
                        Ok(Some(character)) => open.push(character),
                        _ => open.push_str(known.unwrap_or_default()),
                    }
                }
            }
            Event::Eof => return found,
            Event::Start(_)
            | Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}
