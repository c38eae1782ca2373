//! Requests in many forms, sent cut up in any way, and what became of them.

use std::time::Duration;

use super::site::within_runtime;

/// Stands in every body: a second request, should the reading of the body go astray.
const HIDDEN: &str = "\r\n0\r\n\r\nGET /open/hidden HTTP/1.1\r\nHost: files.test\r\n\r\n";

/// Ways to send a request. Those that are refused go to a route that wants a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Get,
    Head,
    /// With an empty line in front, which is forgiven.
    EmptyLine,
    /// HTTP/1.0 that is to be kept open.
    Old,
    /// To another protocol, which is not granted.
    Upgrade,
    Length,
    Chunked,
    GetWithBody,
    Expect,
    Refused,
    RefusedBody,
    RefusedChunks,
    RefusedExpect,
}

impl Message {
    fn bytes(self, number: usize) -> String {
        let open = |line: &str| {
            format!("{line} HTTP/1.1\r\nHost: files.test\r\n").replace('#', &number.to_string())
        };
        let length = HIDDEN.len();
        let with_length = format!("Content-Length: {length}\r\n\r\n{HIDDEN}");
        let in_chunks = format!(
            "Transfer-Encoding: chunked\r\n\r\n{length:x};x=y\r\n{HIDDEN}\r\n1\r\n.\r\n0\r\nA: b\r\n\r\n"
        );
        let expecting = format!("Expect: 100-continue\r\n{with_length}");
        match self {
            Self::Get => format!("{}\r\n", open("GET /open/#")),
            Self::Head => format!("{}\r\n", open("HEAD /open/#")),
            Self::EmptyLine => format!("\r\n{}\r\n", open("GET /open/#")),
            Self::Old => format!(
                "GET /open/{number} HTTP/1.0\r\nHost: files.test\r\nConnection: keep-alive\r\n\r\n"
            ),
            Self::Upgrade => {
                format!("{}Upgrade: h2c\r\nConnection: upgrade\r\n\r\n", open("GET /open/#"))
            }
            Self::Length => format!("{}{with_length}", open("POST /open/#")),
            Self::Chunked => format!("{}{in_chunks}", open("PUT /open/#")),
            Self::GetWithBody => format!("{}{with_length}", open("GET /open/#")),
            Self::Expect => format!("{}{expecting}", open("POST /open/#")),
            Self::Refused => format!("{}\r\n", open("GET /shut/#")),
            Self::RefusedBody => format!("{}{with_length}", open("POST /shut/#")),
            Self::RefusedChunks => format!("{}{in_chunks}", open("PUT /shut/#")),
            Self::RefusedExpect => format!("{}{expecting}", open("POST /shut/#")),
        }
    }

    /// The body that the upstream must see, if it sees the request at all.
    fn body(self) -> Option<String> {
        match self {
            Self::Get | Self::Head | Self::EmptyLine | Self::Old | Self::Upgrade => {
                Some(String::new())
            }
            Self::Length | Self::GetWithBody | Self::Expect => Some(HIDDEN.to_owned()),
            Self::Chunked => Some(format!("{HIDDEN}.")),
            Self::Refused | Self::RefusedBody | Self::RefusedChunks | Self::RefusedExpect => None,
        }
    }

    /// Whether it leaves a body behind that nobody reads.
    fn has_unread_body(self) -> bool {
        matches!(self, Self::RefusedBody | Self::RefusedChunks | Self::RefusedExpect)
    }
}

/// What comes last on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A request that asks for the connection to be closed.
    Close,
    /// What is no request.
    Garbage,
}

/// A request as the upstream saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: String,
}

/// Reads a request, strictly; `None`: there is not all of it yet. Gives how long it is.
pub(super) fn decode(bytes: &[u8]) -> Option<(Recorded, usize)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let end = text.find("\r\n\r\n")? + 4;
    let (head, mut rest) = text.split_at(end);
    let mut words = head.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = String::new();
    if let Some(length) = length {
        let length = length.parse().unwrap();
        body.push_str(rest.get(..length)?);
        rest = &rest[length..];
    } else if head.contains("\r\ntransfer-encoding: chunked\r\n") {
        loop {
            let (size, after) = rest.split_once("\r\n")?;
            let size = usize::from_str_radix(size, 16).unwrap();
            body.push_str(after.get(..size)?);
            rest = after.get(size..)?.strip_prefix("\r\n")?;
            if size == 0 {
                break;
            }
        }
    }
    Some((Recorded { method, target, body }, bytes.len() - rest.len()))
}

/// What became of one connection.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) requests: Vec<Recorded>,
    /// Status and body of each answer.
    pub(super) answers: Vec<(String, String)>,
    /// How often it was found parked.
    pub(super) parked: u64,
}

impl Told {
    /// Whether the upstream saw nothing but what was sent to it, in that order, and each answer
    /// is the one to its request.
    pub(super) fn is_sound(&self, messages: &[Message]) -> bool {
        let mut expected = messages.iter().enumerate().filter_map(|(number, message)| {
            message.body().map(|body| (format!("/open/{number}"), body))
        });
        let mut seen = self.requests.iter().filter(|request| request.target != "/open/last");
        let is_told = seen
            .all(|request| expected.next() == Some((request.target.clone(), request.body.clone())));
        let statuses = self.answers.iter().map(|(status, _)| status.as_str());
        let finals: Vec<_> = statuses.filter(|&status| status != "100").collect();
        let wanted = messages.iter().map(|it| if it.body().is_some() { "200" } else { "401" });
        let is_answered = finals.iter().zip(wanted).all(|(&status, wanted)| status == wanted);
        let is_whole = finals.len() == messages.len() + 1 || Self::depends_on_timing(messages);
        is_told && is_answered && is_whole
    }

    /// Whether how far a connection gets depends on what had come when a request was refused.
    pub(super) fn depends_on_timing(messages: &[Message]) -> bool {
        messages.iter().any(|message| message.has_unread_body())
    }

    pub(super) fn begins_as(&self, other: &Self) -> bool {
        other.requests.starts_with(&self.requests) && other.answers.starts_with(&self.answers)
    }
}

/// Sends the messages, cut up, and lets it be quiet where the cuts say so. The cuts are lengths,
/// [`usize::MAX`] for as much as the message at hand has.
pub(super) fn run(
    messages: &[Message],
    ending: Ending,
    cuts: &[(usize, bool)],
    is_tls: bool,
    parks: bool,
) -> Told {
    let after = if parks { "3s" } else { "0s" };
    let limits = format!(
        "park_after = \"{after}\"\nkeep_alive_timeout = \"1h\"\nheader_timeout = \"1h\"\n\
         body_idle_timeout = \"1h\""
    );
    let mut bytes = String::new();
    let mut ends = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        bytes.push_str(&message.bytes(number));
        ends.push(bytes.len());
    }
    bytes.push_str(match ending {
        Ending::Close => "GET /open/last HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n",
        Ending::Garbage => "GET  /open/garbage HTTP/1.1\r\n\r\n",
    });
    within_runtime(&limits, async |site| {
        let mut client = site.connect(is_tls).await;
        let (mut at, mut parked) = (0, 0);
        let mut cuts = cuts.iter().cycle();
        while at < bytes.len() {
            let &(length, is_quiet) = cuts.next().unwrap();
            let next = ends.iter().find(|&&end| end > at).copied().unwrap_or(bytes.len());
            let end = if length == usize::MAX { next } else { bytes.len().min(at + length) };
            client.send(&bytes.as_bytes()[at..end]).await;
            at = end;
            if is_quiet {
                site.pass(Duration::from_secs(4)).await;
                parked += site.parked();
            } else {
                site.settle().await;
            }
            client.collect().await;
        }
        let received = client.everything().await;
        let mut requests = site.upstream.take();
        requests.retain(|request| request.target != "/open/last" || ending == Ending::Close);
        Told { requests, answers: answers(&String::from_utf8(received).unwrap()), parked }
    })
}

/// Status and body of each answer; no body here holds what begins a head.
fn answers(received: &str) -> Vec<(String, String)> {
    let heads = received.split("HTTP/1.").skip(1);
    heads
        .map(|answer| {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let body = body.split("\"decision\"").next().unwrap_or_default(); // which is random
            (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
        })
        .collect()
}
