//! A headless Chromium, driven by the `WebDriver` protocol over plain HTTP.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::gateway::TestGateway;
use crate::support::programs::available;

/// A browser takes its time to start where much else runs.
const PATIENCE: Duration = Duration::from_mins(3);
/// The name under which `WebDriver` passes elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running browser; it ends with the test.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    base: String,
    profile: TempDir,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Browser {
    /// Starts one that reaches the gateway over TLS as `files.test`; `None`: there is no Chromium
    /// here.
    #[track_caller]
    pub(crate) fn start(gateway: &TestGateway) -> Option<Self> {
        if !available("chromium") || !available("chromedriver") {
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let mut ports = lines.map_while(Result::ok).filter_map(|line| {
            let (_, port) = line.rsplit_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let address = SocketAddr::from(([127, 0, 0, 1], ports.next().expect("a port")));
        let base = format!("https://files.test:{}", gateway.address("tls").port());
        let mut browser = Self { driver, address, session: String::new(), base, profile };
        browser.begin();
        Some(browser)
    }

    fn begin(&mut self) {
        let profile = self.profile.path().join("profile").display().to_string();
        let arguments = [
            "--headless=new",
            "--no-sandbox", // tests may run as root
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP files.test 127.0.0.1, MAP * ~NOTFOUND",
            &format!("--user-data-dir={profile}"),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": true, // the authority of the test is no browser's
            "goog:chromeOptions": {"args": arguments},
        }}});
        let value = self.ask("POST", "/session", &capabilities);
        self.session = format!("/session/{}", value["sessionId"].as_str().expect("a session"));
    }

    #[track_caller]
    fn try_ask(&self, method: &str, path: &str, body: &Value) -> std::io::Result<(u16, Value)> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut client = Client::over(Box::new(stream));
        client.try_send(format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))?;
        let response = client.response_to(method)?;
        Ok((response.status, response.json()["value"].take()))
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, value) = self.try_ask(method, path, body).unwrap();
        assert_eq!(status, 200, "{method} {path} {body}: {value}");
        value
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("{}{path}", self.session), body)
    }

    /// Goes to a path of the gateway.
    #[track_caller]
    pub(crate) fn open(&self, path: &str) {
        self.command("POST", "/url", &json!({"url": format!("{}{path}", self.base)}));
    }

    /// The path, query and fragment of where it is.
    #[track_caller]
    pub(crate) fn place(&self) -> String {
        let url = self.command("GET", "/url", &Value::Null);
        let url = url.as_str().expect("a URL");
        url.strip_prefix(&self.base).unwrap_or(url).to_owned()
    }

    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let found =
            self.command("POST", "/element", &json!({"using": "css selector", "value": selector}));
        format!("/element/{}", found[ELEMENT].as_str().expect("an element"))
    }

    /// Types into a field.
    #[track_caller]
    pub(crate) fn fill(&self, selector: &str, text: &str) -> &Self {
        let element = self.element(selector);
        self.command("POST", &format!("{element}/value"), &json!({"text": text}));
        self
    }

    /// Clicks what changes this page alone.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) -> &Self {
        let element = self.element(selector);
        self.command("POST", &format!("{element}/click"), &json!({}));
        self
    }

    /// Clicks what leads to another page, and waits until that is there.
    #[track_caller]
    pub(crate) fn follow(&self, selector: &str) -> &Self {
        self.evaluate("window.isLeft = true");
        self.click(selector);
        let deadline = Instant::now() + PATIENCE;
        let arrived = "!window.isLeft && document.readyState === 'complete'";
        while self.evaluate(arrived) != true {
            assert!(Instant::now() < deadline, "{selector} leads nowhere");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        self
    }

    /// What is to be read there.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let element = self.element(selector);
        let text = self.command("GET", &format!("{element}/text"), &Value::Null);
        text.as_str().expect("text").to_owned()
    }

    /// What an expression gives in the page.
    #[track_caller]
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        let script = json!({"script": format!("return {expression}"), "args": []});
        self.command("POST", "/execute/sync", &script)
    }

    /// Light or dark, at this width.
    #[track_caller]
    pub(crate) fn wear(&self, scheme: &str, width: u32, height: u32) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": features}));
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    #[track_caller]
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.command("POST", "/goog/cdp/execute", &body)
    }

    /// A picture of the whole page, below `$TEST_DOORWARD_SCREENSHOTS` if that is set, in light
    /// and dark, wide and narrow. No page may be wider than its window.
    #[track_caller]
    pub(crate) fn look(&self, name: &str) {
        for scheme in ["light", "dark"] {
            for (width, height) in [(1024, 768), (375, 667)] {
                self.wear(scheme, width, height);
                let overflow = self.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
                );
                assert_eq!(overflow, 0, "{name} overflows at {width}");
                let Some(folder) = std::env::var_os("TEST_DOORWARD_SCREENSHOTS") else { continue };
                let parameters = json!({"captureBeyondViewport": true});
                let picture = self.devtools("Page.captureScreenshot", &parameters);
                let picture = picture["data"].as_str().expect("a picture").as_bytes();
                let file = format!("{name}-{scheme}-{width}.png");
                std::fs::write(PathBuf::from(folder).join(file), BASE64.decode(picture).unwrap())
                    .unwrap();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.try_ask("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
