//! A visitor with a cookie jar and no scripts: what a browser sends, byte for byte.

use std::cell::RefCell;
use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;

use crate::support::client::Response;
use crate::support::gateway::TestGateway;

/// Somebody at a browser, on the plain listener (loopback).
#[derive(Debug)]
pub(crate) struct Visitor<'g> {
    gateway: &'g TestGateway,
    host: String,
    pub(crate) jar: RefCell<BTreeMap<String, String>>,
}

/// Percent-encodes for a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let escape =
        |text: &str| utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The value of the first hidden field of this name in a page.
pub(crate) fn hidden(page: &Response, name: &str) -> Option<String> {
    let text = page.text();
    let (_, rest) = text.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(rest.split('"').next().unwrap().replace("&#38;", "&"))
}

/// What stands in the element with this id.
pub(crate) fn inner(page: &Response, id: &str) -> String {
    let text = page.text();
    let (_, rest) = text.split_once(&format!("id=\"{id}\">")).expect(id);
    rest.split('<').next().unwrap().to_owned()
}

impl<'g> Visitor<'g> {
    pub(crate) fn of(gateway: &'g TestGateway) -> Self {
        let host = format!("127.0.0.1:{}", gateway.address("main").port());
        Self { gateway, host, jar: RefCell::default() }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.borrow().get(name).cloned()
    }

    /// Puts a cookie in place.
    pub(crate) fn plant(&self, name: &str, value: &str) {
        self.jar.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send("GET", path, None, &[])
    }

    /// Sends a form as a browser does that was shown one by this very site.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let origin = self.origin();
        self.post_with(path, fields, &[("Origin", &origin), ("Sec-Fetch-Site", "same-origin")])
    }

    #[track_caller]
    pub(crate) fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Response {
        let content = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", path, Some(&form(fields)), &[headers, &[content]].concat())
    }

    #[track_caller]
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut ask = self.gateway.ask(method, path).host(&self.host);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        let jar = self.jar.borrow();
        let cookies = jar.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        drop(jar);
        if !cookies.is_empty() {
            ask = ask.header("Cookie", &cookies);
        }
        if let Some(body) = body {
            ask = ask.body(body);
        }
        let response = ask.send();
        self.keep(&response);
        response
    }

    fn keep(&self, response: &Response) {
        for cookie in response.all("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let mut jar = self.jar.borrow_mut();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Logs in, and gives what the form is answered with.
    #[track_caller]
    pub(crate) fn log_in(&self, user: &str, password: &str) -> Response {
        self.log_in_towards("/login", user, password)
    }

    /// As [`Self::log_in`], on the login page at `path`.
    #[track_caller]
    pub(crate) fn log_in_towards(&self, path: &str, user: &str, password: &str) -> Response {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{}", page.text());
        let token = hidden(&page, "form_token").unwrap_or_default();
        let redirect = hidden(&page, "redirect").unwrap_or_default();
        let path = path.split('?').next().unwrap();
        self.post(
            path,
            &[
                ("username", user),
                ("password", password),
                ("redirect", &redirect),
                ("form_token", &token),
            ],
        )
    }

    /// Sends a form of the account page.
    #[track_caller]
    pub(crate) fn act(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let page = self.get("/me");
        assert_eq!(page.status, 200, "{}", page.text());
        let token = hidden(&page, "form_token").expect("a token");
        self.post(path, &[fields, &[("form_token", &token)]].concat())
    }
}
