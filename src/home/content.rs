//! Fields of bodies that name resources. What is sent is written from the form that was decided on.

use super::value::{self, Judge};
use super::{Base, Content, HomeError, HomeRule, Mode, PlaceKind, Target};
use crate::resource::content::{Body, Json, Value};
use crate::resource::query::decode;
use crate::resource::{PathPrefix, ResourceError};

const JSON: PlaceKind = PlaceKind::Json;

/// Confines the fields of a body; whether it names anything.
pub(super) fn confine(
    rule: &HomeRule,
    home: &PathPrefix,
    content: Content<'_>,
    target: &mut Target<'_>,
) -> Result<bool, HomeError> {
    match content {
        Content::Absent => Ok(false),
        Content::Read(Body::Form(form)) if rule.rests_on(PlaceKind::Form) => {
            let found = value::confine(rule, home, form, PlaceKind::Form)?;
            let sent = found.rewritten.unwrap_or_else(|| form.as_str().unwrap_or("").to_owned());
            target.set_content(sent);
            Ok(found.names_something)
        }
        Content::Read(Body::Json(json)) if rule.rests_on(JSON) => {
            let (sent, names_something) = confine_json(rule, home, json)?;
            target.set_content(sent);
            Ok(names_something)
        }
        Content::Read(_) | Content::Unread => Err(HomeError::UnreadBody),
    }
}

fn confine_json(
    rule: &HomeRule,
    home: &PathPrefix,
    json: &Json<'_>,
) -> Result<(String, bool), HomeError> {
    let mut names_something = false;
    for (name, base) in rule.names(JSON) {
        json.demand(name).map_err(|error| HomeError::Ambiguous(JSON, error))?;
        let judge = Judge { rule, home, kind: JSON, base };
        let Some(member) = json.members().iter().find(|member| member.name == name) else {
            continue;
        };
        let values = match &member.value {
            Value::Text(text) => std::slice::from_ref(text),
            Value::Texts(texts) => texts,
            Value::Other(_) => {
                return Err(HomeError::Ambiguous(JSON, ResourceError::FieldType));
            }
        };
        for value in values {
            judge.judge(value)?;
            names_something |= base == Base::Home;
        }
    }
    let is_rewritten = rule.mode == Mode::Rewrite && !home.is_root();
    let home = decode(home.as_str()).map_err(HomeError::AmbiguousHome)?;
    let mut sent = String::new();
    json.write(&mut sent, |name, value, out| {
        let base = rule.names(JSON).find(|(known, _)| *known == name).map(|(_, base)| base);
        match base {
            Some(Base::Home) if is_rewritten => {
                let slash = if value.starts_with('/') { "" } else { "/" };
                out.extend([&*home, slash, value]);
            }
            Some(Base::Path) if is_rewritten => out.push_str(value.trim_start_matches('/')),
            _ => out.push_str(value),
        }
    });
    Ok((sent, names_something))
}
