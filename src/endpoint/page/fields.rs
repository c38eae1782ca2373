//! The fields of a form, each once unless it is asked for as many.

use axum::extract::{Form, FromRequest, Request};
use http::StatusCode;

/// Why a form is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldError {
    /// A field that it must have is missing.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field that may be there once is there twice.
    #[error("the field `{0}` comes twice")]
    Twice(&'static str),
}

/// The fields of a form in their order; `application/x-www-form-urlencoded` only.
pub(crate) struct Fields(Vec<(String, String)>);

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields([redacted])")
    }
}

impl Fields {
    /// The value of a field, if it is there.
    ///
    /// # Errors
    ///
    /// [`FieldError::Twice`].
    pub(crate) fn find(&self, name: &'static str) -> Result<Option<&str>, FieldError> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() { Err(FieldError::Twice(name)) } else { Ok(value) }
    }

    /// The value of a field that must be there.
    ///
    /// # Errors
    ///
    /// [`FieldError::Twice`], [`FieldError::Missing`].
    pub(crate) fn one(&self, name: &'static str) -> Result<&str, FieldError> {
        self.find(name)?.ok_or(FieldError::Missing(name))
    }

    /// Every value of a field.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The words of a field that lists several: between blanks or commas. Empty if it is absent.
    ///
    /// # Errors
    ///
    /// [`FieldError::Twice`].
    pub(crate) fn words(&self, name: &'static str) -> Result<Vec<&str>, FieldError> {
        let text = self.find(name)?.unwrap_or_default();
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        Ok(words.filter(|word| !word.is_empty()).collect())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = StatusCode;

    async fn from_request(request: Request, state: &S) -> Result<Self, StatusCode> {
        let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
        form.map(|Form(fields)| Self(fields)).map_err(|rejection| {
            let status = rejection.status();
            // A form that can't be read is the client's mistake, whatever it is called.
            if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                status
            } else {
                StatusCode::BAD_REQUEST
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_field_that_comes_twice_has_no_value() {
        let fields = fields(&[("a", "1"), ("b", "2"), ("a", "3")]);

        assert_eq!(fields.one("b"), Ok("2"));
        assert_eq!(fields.find("c"), Ok(None));
        assert_eq!(fields.one("c"), Err(FieldError::Missing("c")));
        assert_eq!(fields.one("a"), Err(FieldError::Twice("a")));
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "3"]);
    }

    #[test]
    fn words_stand_between_blanks_and_commas() {
        let fields = fields(&[("a", " x,y  z\n"), ("b", " , ")]);

        assert_eq!(fields.words("a").unwrap(), ["x", "y", "z"]);
        assert!(fields.words("b").unwrap().is_empty());
        assert!(fields.words("c").unwrap().is_empty());
    }

    #[test]
    fn a_form_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", fields(&[("password", "hunter2")])), "Fields([redacted])");
    }
}
