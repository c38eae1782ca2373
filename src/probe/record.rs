//! A request as an upstream received it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::MARKER;

/// The head of a request, byte by byte, and what a plain reading makes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// All bytes of the head, with the empty line.
    pub raw: Vec<u8>,
    /// What stands in front of the first space.
    pub method: Vec<u8>,
    /// What stands between the first space and the last.
    pub target: Vec<u8>,
    /// The fields as they came, names and values without blanks around them.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body, without the framing.
    pub body: Vec<u8>,
}

impl Record {
    /// Reads a head leniently: whatever came is told.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        let mut lines = raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first = lines.next().unwrap_or_default();
        let is_space = |byte: &u8| *byte == b' ';
        let (start, end) = (first.iter().position(is_space), first.iter().rposition(is_space));
        let part = |from: usize, to: usize| first.get(from..to).unwrap_or_default().to_vec();
        let (method, target) = match (start, end) {
            (Some(start), Some(end)) if start < end => (part(0, start), part(start + 1, end)),
            (Some(start), _) => (part(0, start), part(start + 1, first.len())),
            (None, _) => (first.to_vec(), Vec::new()),
        };
        let fields = lines.filter(|line| !line.is_empty()).map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let name = line.get(..colon).unwrap_or_default().trim_ascii().to_vec();
            (name, line.get(colon + 1..).unwrap_or_default().trim_ascii().to_vec())
        });
        Self { raw: raw.to_vec(), method, target, fields: fields.collect(), body: Vec::new() }
    }

    /// The values of all fields of a name, whatever its case.
    pub fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
        let named =
            self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| value.as_slice())
    }

    /// To which attack it belongs.
    #[must_use]
    pub fn marker(&self) -> Option<&str> {
        self.values(MARKER).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// As the recorder answers it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = self.fields.iter().map(|(name, value)| [text(name), text(value)]);
        json!({
            "marker": self.marker(),
            "method": text(&self.method),
            "target": text(&self.target),
            "fields": fields.collect::<Vec<_>>(),
            "head": STANDARD.encode(&self.raw),
            "body": STANDARD.encode(&self.body),
        })
    }

    /// Reads what [`Record::to_json`] wrote.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let bytes = |key: &str| STANDARD.decode(value.get(key)?.as_str()?).ok();
        Some(Self { body: bytes("body").unwrap_or_default(), ..Self::read(&bytes("head")?) })
    }

    /// Method and target, for people.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{} {}", self.method.escape_ascii(), self.target.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_whatever_it_is() {
        let raw = b"GET /a b HTTP/1.1\r\nHost: x\r\nDoorward-Probe:  7 \r\nodd\r\n\r\n";

        let record = Record::read(raw);

        assert_eq!((&*record.method, &*record.target), (&b"GET"[..], &b"/a b"[..]));
        assert_eq!(record.marker(), Some("7"));
        assert_eq!(record.fields.last(), Some(&(b"odd".to_vec(), Vec::new())));
        assert_eq!(Record::from_json(&record.to_json()), Some(record));
    }

    #[test]
    fn half_a_head_is_no_reason_to_stumble() {
        for raw in ["", "\r\n", "GET", "GET /", " ", "\0\n:\n"] {
            let _ = Record::read(raw.as_bytes());
        }
    }
}
