//! WebDAV's `If`: the resources that its tagged lists name, and the states that are asked of them.

use super::{CanonicalHost, CanonicalPath, Destination, ResourceError};

/// The most lists of one header.
const MAX_LISTS: usize = 64;

/// The `If` of a request (RFC 4918 §10.4), taken apart: each resource tag in canonical form, with
/// the lists that belong to it written anew.
///
/// A tag is read as a [`Destination`] is: a path, or a URI of the host that was asked. State
/// tokens, entity tags and `Not` stay what they are; what a careless reader could take for the end
/// of one (brackets, parentheses, quotes and backslashes within it) is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition<'a>(Vec<Lists<'a>>);

/// Lists that speak of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists<'a> {
    tag: Option<Destination<'a>>,
    text: String,
}

impl<'a> Lists<'a> {
    /// The resource they speak of; `None`: the one that the request itself names.
    #[must_use]
    pub fn path(&self) -> Option<&CanonicalPath<'a>> {
        self.tag.as_ref().map(Destination::path)
    }

    /// All of them, in canonical form: `(<token> ["etag"]) (Not <token>)`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<'a> Condition<'a> {
    /// Parses the value of the header of a request that was made to `host`, over TLS or not.
    ///
    /// # Errors
    ///
    /// [`ResourceError::ConditionForm`]: not of the grammar, or with more than 64 lists; for a
    /// tag as [`Destination::parse`].
    pub fn parse(
        value: &'a str,
        host: &CanonicalHost<'_>,
        https: bool,
    ) -> Result<Self, ResourceError> {
        let mut scanner = Scanner(value);
        let mut groups: Vec<Lists<'a>> = Vec::new();
        let mut count = 0;
        loop {
            scanner.skip_blanks();
            match scanner.peek() {
                None => break,
                Some(b'<') => {
                    let untagged = groups.first().is_some_and(|group| group.tag.is_none());
                    let is_bare = groups.last().is_some_and(|group| group.text.is_empty());
                    if untagged || is_bare {
                        return Err(ResourceError::ConditionForm);
                    }
                    let tag = scanner.until('<', '>')?;
                    let tag = Destination::parse(tag, host, https)?;
                    groups.push(Lists { tag: Some(tag), text: String::new() });
                }
                Some(b'(') => {
                    count += 1;
                    if count > MAX_LISTS {
                        return Err(ResourceError::ConditionForm);
                    }
                    if groups.is_empty() {
                        groups.push(Lists { tag: None, text: String::new() });
                    }
                    let group = groups.last_mut().ok_or(ResourceError::ConditionForm)?;
                    if !group.text.is_empty() {
                        group.text.push(' ');
                    }
                    scanner.list(&mut group.text)?;
                }
                Some(_) => return Err(ResourceError::ConditionForm),
            }
        }
        match groups.last() {
            Some(group) if !group.text.is_empty() => Ok(Self(groups)),
            _ => Err(ResourceError::ConditionForm),
        }
    }

    /// The lists, by the resource they speak of.
    #[must_use]
    pub fn lists(&self) -> &[Lists<'a>] {
        &self.0
    }

    /// The resources that are named.
    pub fn paths(&self) -> impl Iterator<Item = &CanonicalPath<'a>> {
        self.0.iter().filter_map(Lists::path)
    }
}

/// What of the value has not been read.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.as_bytes().first().copied()
    }

    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    /// What stands between two marks, without them.
    fn until(&mut self, open: char, close: char) -> Result<&'a str, ResourceError> {
        let rest = self.0.strip_prefix(open).and_then(|rest| rest.split_once(close));
        let (inner, rest) = rest.ok_or(ResourceError::ConditionForm)?;
        self.0 = rest;
        Ok(inner)
    }

    /// `"(" 1*( ["Not"] ( "<" URI ">" / "[" entity-tag "]" ) ) ")"`, written to `out`.
    fn list(&mut self, out: &mut String) -> Result<(), ResourceError> {
        self.0 = self.0.strip_prefix('(').ok_or(ResourceError::ConditionForm)?;
        out.push('(');
        let mut is_empty = true;
        loop {
            self.skip_blanks();
            if let Some(rest) = self.0.strip_prefix(')') {
                if is_empty {
                    return Err(ResourceError::ConditionForm);
                }
                self.0 = rest;
                out.push(')');
                return Ok(());
            }
            if !is_empty {
                out.push(' ');
            }
            is_empty = false;
            if let Some(word) = self.0.get(..3)
                && word.eq_ignore_ascii_case("not")
            {
                self.0 = self.0.get(3..).unwrap_or_default();
                self.skip_blanks();
                out.push_str("Not ");
            }
            self.state(out)?;
        }
    }

    fn state(&mut self, out: &mut String) -> Result<(), ResourceError> {
        if self.peek() == Some(b'<') {
            let token = self.until('<', '>')?;
            let has_scheme = token.split_once(':').is_some_and(|(scheme, rest)| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && !rest.is_empty()
            });
            if !has_scheme || !token.bytes().all(is_token) {
                return Err(ResourceError::ConditionForm);
            }
            out.extend(["<", token, ">"]);
            return Ok(());
        }
        let tag = self.until('[', ']')?.trim_matches([' ', '\t']);
        let (weak, opaque) = tag.strip_prefix("W/").map_or(("", tag), |opaque| ("W/", opaque));
        let opaque = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let opaque = opaque.filter(|opaque| opaque.bytes().all(is_token));
        out.extend(["[", weak, "\"", opaque.ok_or(ResourceError::ConditionForm)?, "\"]"]);
        Ok(())
    }
}

/// What may stand in a state token or an entity tag without being taken for its end.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: &str) -> Result<String, ResourceError> {
        let host = CanonicalHost::parse("files.example.org").unwrap();
        let condition = Condition::parse(value, &host, true)?;
        let group = |lists: &Lists<'_>| match lists.path() {
            Some(path) => format!("<{path}> {}", lists.as_str()),
            None => lists.as_str().to_owned(),
        };
        Ok(condition.lists().iter().map(group).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 4918 §10.4.6 to §10.4.10, with paths of this host.
        for (value, canonical) in [
            (
                "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> [\"I am-an-ETag\"]) ([\"b\"])",
                None,
            ),
            (
                "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>\t[\"an-ETag\"])([W/\"b\"])",
                Some("(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> [\"an-ETag\"]) ([W/\"b\"])"),
            ),
            ("(Not <urn:uuid:1> <urn:uuid:2>)", Some("(Not <urn:uuid:1> <urn:uuid:2>)")),
            ("(<urn:uuid:1>)(not<DAV:no-lock>)", Some("(<urn:uuid:1>) (Not <DAV:no-lock>)")),
            ("</resource1> (<urn:uuid:1> [W/\"A weak\"]) ([\"strong\"])", None),
            (
                "</resource1>(<urn:uuid:1> [W/\"weak\"])(  [ \"strong\" ] )",
                Some("</resource1> (<urn:uuid:1> [W/\"weak\"]) ([\"strong\"])"),
            ),
            (
                "<https://FILES.example.org/sp%65cs/> (<urn:uuid:1>) </b c> ([\"x\"])",
                Some("</specs/> (<urn:uuid:1>) </b%20c> ([\"x\"])"),
            ),
        ] {
            let found = written(value);
            assert_eq!(found.ok().as_deref(), canonical, "{value}");
        }
    }

    #[test]
    fn what_is_not_of_the_grammar_is_refused() {
        let many = "(<a:b>)".repeat(65);
        for value in [
            "",
            " ",
            "()",
            "( )",
            "</a>",
            "</a> ()",
            "</a> </b> (<u:1>)",
            "(<u:1>) </a> (<u:2>)",
            "(<u:1>), (<u:2>)",
            "(<u:1>",
            "(<u:1)",
            "<u:1>",
            "(Not)",
            "(Not Not <u:1>)",
            "(<>)",
            "(<u>)",
            "(</a>)",
            "(<u:(1)>)",
            "(<u:<1>>)",
            "(<u: 1>)",
            "([etag])",
            "([\"a\"b\"])",
            "([\"a]b\"])",
            "([\"a\\\"])",
            "([w/\"a\"])",
            "([\"a\" \"b\"])",
            "([\"a)(<u:1>\"])",
            "* (<u:1>)",
            "<*> (<u:1>)",
            "(<u:1>) x",
            "</a (<u:1>)",
            "&lt;/a&gt; (<u:1>)",
            &many,
        ] {
            assert!(written(value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_tag_is_read_as_a_destination_is() {
        use ResourceError::{DestinationForm, DestinationHost, DotSegment, Fragment, QueryInPath};
        for (tag, error) in [
            ("//files.example.org/a", DestinationForm),
            ("a", DestinationForm),
            ("urn:uuid:1", DestinationForm),
            ("https://evil.example/a", DestinationHost),
            ("/a/../b", DotSegment),
            ("https://files.example.org/a/%2e%2e/b", DotSegment),
            ("/a?b", QueryInPath),
            ("/a#b", Fragment),
        ] {
            assert_eq!(written(&format!("<{tag}> (<u:1>)")), Err(error), "{tag}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_itself(
            pieces in proptest::collection::vec(proptest::sample::select(&[
                "<", ">", "(", ")", "[", "]", "\"", "Not", " ", "/a", "/b%2e", "<u:1>", "(<u:1>)",
                "[\"e\"]", "W/", "</a>", "\\", ",",
            ][..]), 0..10)
        ) {
            if let Ok(canonical) = written(&pieces.concat()) {
                prop_assert_eq!(written(&canonical), Ok(canonical.clone()));
            }
        }
    }
}
