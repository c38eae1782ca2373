//! What `demo` prints: where things are, and command lines that work when pasted.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that the printed text speaks of.
///
/// The lines assume a route at `/files` in `rewrite` mode, so that alice sees her home as
/// `/files/`, and that alice has a file `hello.txt` and bob a file `diary.txt`.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The program itself, as it can be started from the user's shell.
    pub program: PathBuf,
    /// The configuration that the demonstration runs on.
    pub config: PathBuf,
    /// The certificate to trust.
    pub certificate: PathBuf,
    /// Where the decisions are logged.
    pub access_log: PathBuf,
    /// Where the gateway listens with TLS.
    pub gateway: SocketAddr,
    /// Where the file API listens.
    pub upstream: SocketAddr,
    /// The users' passwords.
    pub passwords: Passwords,
    /// A token of alice.
    pub token: String,
}

/// The users' passwords.
#[derive(Clone)]
pub struct Passwords {
    /// Alice's.
    pub alice: String,
    /// Bob's.
    pub bob: String,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = format!("https://localhost:{}", self.gateway.port());
        let certificate = quoted(&self.certificate.display().to_string());
        let program = quoted(&self.program.display().to_string());
        let config = quoted(&self.config.display().to_string());
        let curl = format!("curl --cacert {certificate}");
        let basic = format!("-u {}", quoted(&format!("alice:{}", self.passwords.alice)));
        let bearer = format!("-H {}", quoted(&format!("Authorization: Bearer {}", self.token)));
        let upstream = self.upstream;
        let Passwords { alice, bob } = &self.passwords;
        let access_log = quoted(&self.access_log.display().to_string());
        write!(
            f,
            "\
doorward is running on {origin}, before a file API on http://{upstream}
that knows nothing of users. alice (password {alice}) and bob
(password {bob}) have a home each, and see it as /files/.
Paste these into another terminal:

# 1. With a password: what is in alice's home?
{curl} {basic} {origin}/files/

# 2. With a token: read a file, then write one.
{curl} {bearer} {origin}/files/hello.txt
{curl} {bearer} -i -X PUT --data-binary 'made by curl' {origin}/files/new.txt

# 3. Without a credential, and into bob's home: refused. The answer names the decision.
{curl} -i {origin}/files/hello.txt
{curl} {basic} -i --path-as-is {origin}/files/../bob/diary.txt

# 4. Why? And what was decided so far?
{program} explain --config {config} --user alice GET /files/../bob/diary.txt
{program} explain --config {config} --user alice GET /files/hello.txt
cat {access_log}

Ctrl-C ends the demonstration and removes its files.
"
        )
    }
}

/// A word for a POSIX shell: as it is if every byte is harmless, else in single quotes.
fn quoted(word: &str) -> String {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"-._/:=@%+,".contains(&b);
    if !word.is_empty() && word.bytes().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        Scene {
            program: "/opt/door ward/doorward".into(),
            config: "/tmp/demo/doorward.toml".into(),
            certificate: "/tmp/demo/cert.pem".into(),
            gateway: "127.0.0.1:8443".parse().unwrap(),
            upstream: "127.0.0.1:9000".parse().unwrap(),
            access_log: "/tmp/demo/access.log".into(),
            passwords: Passwords { alice: "it's".to_owned(), bob: "bob's".to_owned() },
            token: "eyJ.e30.sig".to_owned(),
        }
    }

    #[test]
    fn the_lines_name_what_was_set_up() {
        let text = scene().to_string();

        assert!(text.contains("https://localhost:8443/files/"));
        assert!(text.contains("--cacert /tmp/demo/cert.pem"));
        assert!(text.contains("'Authorization: Bearer eyJ.e30.sig'"));
        assert!(
            text.contains("'/opt/door ward/doorward' explain --config /tmp/demo/doorward.toml")
        );
    }

    #[test]
    fn a_password_with_a_quote_survives_the_shell() {
        assert!(scene().to_string().contains(r"-u 'alice:it'\''s'"));
    }
}
