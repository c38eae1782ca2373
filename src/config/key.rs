//! Dotted keys, as people read and write them.

use std::fmt;

/// A key from the root: `listeners.main.address`, `routes.files.hosts[1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Index(usize),
    Name(String),
}

impl Key {
    /// The key of a section.
    pub(super) fn of(name: &str) -> Self {
        Self::default().child(name)
    }

    /// The key below this one.
    pub(super) fn child(&self, name: &str) -> Self {
        self.with(Step::Name(name.to_owned()))
    }

    /// The key of an element of the list at this one.
    pub(super) fn item(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) => {
                    let dot = if position == 0 { "" } else { "." };
                    if is_bare(name) {
                        write!(f, "{dot}{name}")?;
                    } else {
                        write!(f, "{dot}{name:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_it_is_written() {
        let key = Key::of("routes").child("files").child("hosts").item(1);
        assert_eq!(key.to_string(), "routes.files.hosts[1]");
        assert_eq!(Key::of("roles").child("a.b").to_string(), r#"roles."a.b""#);
        assert_eq!(Key::default().to_string(), "");
    }
}
