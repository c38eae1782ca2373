//! Every reading of a target that a server has been seen to make. Written apart from the code
//! under test, and without its decoder.

use std::collections::BTreeSet;

type Text = Vec<u8>;

/// All readings of `text`, three transformations deep and then each as a tree walks it.
pub(super) fn of(text: &str) -> BTreeSet<Text> {
    let mut all = BTreeSet::from([text.as_bytes().to_vec()]);
    let mut edge = all.clone();
    for _ in 0..4 {
        let mut next = BTreeSet::new();
        for text in &edge {
            for step in STEPS {
                let read = step(text);
                if !all.contains(&read) {
                    next.insert(read);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        all.extend(next.iter().cloned());
        edge = next;
    }
    all
}

const STEPS: &[fn(&[u8]) -> Text] = &[
    decode,
    |text| text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect(),
    |text| text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect(),
    without_parameters,
    |text| cut(text, 0),
    |text| cut(text, b'?'),
    |text| cut(text, b'#'),
];

/// Decodes what can be decoded, once.
fn decode(text: &[u8]) -> Text {
    let hex = |byte: u8| char::from(byte).to_digit(16);
    let mut decoded = Text::new();
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        if let [b'%', high, low, tail @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            decoded.push(u8::try_from(high * 16 + low).unwrap());
            rest = tail;
        } else {
            decoded.push(first);
            rest = tail;
        }
    }
    decoded
}

fn without_parameters(text: &[u8]) -> Text {
    let names = text.split(|byte| *byte == b'/').map(|segment| cut(segment, b';'));
    names.collect::<Vec<_>>().join(&b'/')
}

fn cut(text: &[u8], mark: u8) -> Text {
    text.split(|byte| *byte == mark).next().unwrap_or_default().to_vec()
}

/// Where a path leads, with dot segments walked and empty segments passed over. `None`: above
/// the root.
pub(super) fn walk(path: &[u8]) -> Option<Vec<Text>> {
    let mut place = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                place.pop()?;
            }
            name => place.push(name.to_vec()),
        }
    }
    Some(place)
}

/// Whether every reading of `path` leads into `home`, on no way out of it.
#[track_caller]
pub(super) fn assert_inside(path: &str, home: &[&str]) {
    for reading in of(path) {
        let text = String::from_utf8_lossy(&reading).into_owned();
        let place = walk(&reading);
        assert!(
            place.is_some_and(|place| {
                place.len() >= home.len()
                    && place.iter().zip(home).all(|(one, other)| one == other.as_bytes())
            }),
            "{path:?}, read as {text:?}, leaves {home:?}"
        );
        let climbs = reading.split(|byte| *byte == b'/').any(|segment| segment == b"..");
        assert!(!climbs, "{path:?}, read as {text:?}, has a dot segment");
    }
}

/// Every value that some server takes for the parameter `name`, decoded as it does first.
pub(super) fn values(query: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for pair in query.split(['&', ';']) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let called = of(key).into_iter().any(|key| {
            let key = String::from_utf8_lossy(&key).to_lowercase();
            let key = key.split('[').next().unwrap_or_default();
            key.trim_matches(|c: char| c.is_whitespace() || c.is_control()) == name
        });
        if called {
            for value in [value.to_owned(), value.replace('+', " ")] {
                found.push(String::from_utf8(decode(value.as_bytes())).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_readings_find_known_ways_out() {
    for way_out in [
        "/files/alice/../bob",
        "/files/alice/%252e%252e/bob",
        "/files/alice/..%5cbob",
        "/files/alice/..;x/bob",
        "/files/alice/..%00",
        "/files/alice/..%23/",
        "/files/alice;x/../bob",
    ] {
        let found = std::panic::catch_unwind(|| assert_inside(way_out, &["files", "alice"]));
        assert!(found.is_err(), "{way_out}");
    }
    assert_eq!(values("DIR=a&%64ir[]=b;x=c", "dir"), ["a", "a", "b", "b"]);
}
