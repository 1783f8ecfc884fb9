//! `oomtop fleet` over TLS: a real Prometheus with certificates that openssl has made. It reads them again for each connection.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::fleet;
use crate::common::patience::until;
use crate::common::web::free_port;
use crate::metrics::stage::has;

/// `pass`, by bcrypt with the least cost.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6";

/// Ends with this value.
struct Server {
    child: Option<Child>,
    address: SocketAddr,
    dir: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(at("prometheus.yml"), "").expect("written");
        ca(dir.path(), "ca");
        signed(dir.path(), "right", "ca", "IP:127.0.0.1,DNS:p.example", "9");
        let mut own = Self {
            address: SocketAddr::from(([127, 0, 0, 1], free_port())),
            child: None,
            dir,
        };
        own.serve("right", "");
        let at = |name: &str| own.dir.path().join(name).display().to_string();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", at("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", at("data")))
            .arg(format!("--web.config.file={}", at("web.yml")))
            .arg(format!("--web.listen-address={}", own.address))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus runs");
        own.child = Some(child);
        own
    }

    /// From the next connection on it shows this certificate.
    fn serve(&self, certificate: &str, more: &str) {
        let text = format!(
            "tls_server_config: {{cert_file: {certificate}.pem, key_file: {certificate}.key{more}}}\nbasic_auth_users: {{u: '{HASH}'}}\n"
        );
        // In one step: it may be read at any time.
        let (new, old) = (self.dir.path().join("new"), self.dir.path().join("web.yml"));
        std::fs::write(&new, text).expect("written");
        std::fs::rename(new, old).expect("in its place");
    }

    /// What `oomtop fleet` says with this `tls_config`.
    fn asked(&self, scheme: &str, tls: &str) -> (Option<i32>, String) {
        let file = self.dir.path().join("http.yml");
        let text = format!("basic_auth:\n  username: u\n  password: pass\ntls_config:\n{tls}");
        std::fs::write(&file, text).expect("written");
        let path = file.to_str().expect("text");
        let url = format!("{scheme}://{}", self.address);
        let (status, out, errors) = fleet(&url, &["--once", "--http.config.file", path]);
        (status, out + &errors)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn openssl(dir: &Path, args: &[&str]) {
    let done = Command::new("openssl").args(args).current_dir(dir).output();
    let done = done.expect("openssl runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?}: {said}");
}

const KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
];

/// A certificate that signs itself, and names 127.0.0.1 too.
fn ca(dir: &Path, name: &str) {
    let (key, file, subject) = (
        format!("{name}.key"),
        format!("{name}.pem"),
        format!("/CN={name}"),
    );
    let mut args = vec![
        "req", "-x509", "-days", "9", "-subj", &subject, "-keyout", &key, "-out", &file,
    ];
    args.extend(["-addext", "subjectAltName=IP:127.0.0.1"]);
    args.extend(KEY);
    openssl(dir, &args);
}

/// One that `by` has signed.
fn signed(dir: &Path, name: &str, by: &str, names: &str, days: &str) {
    let (key, file, subject) = (
        format!("{name}.key"),
        format!("{name}.pem"),
        format!("/CN={name}"),
    );
    let mut args = vec!["req", "-subj", &subject, "-keyout", &key, "-out", "request"];
    args.extend(KEY);
    openssl(dir, &args);
    let text = format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\n");
    std::fs::write(dir.join("extensions"), text).expect("written");
    let (ca, ca_key) = (format!("{by}.pem"), format!("{by}.key"));
    let args = [
        "x509",
        "-req",
        "-in",
        "request",
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-CAcreateserial",
        "-days",
        days,
        "-extfile",
        "extensions",
        "-out",
        &file,
    ];
    openssl(dir, &args);
}

#[test]
fn a_real_prometheus_is_asked_over_tls_and_each_fault_is_a_sentence() {
    let subject = "a fleet over TLS";
    if !has("prometheus", subject) || !has("openssl", subject) {
        return;
    }
    let server = Server::start();
    let dir = server.dir.path();
    let said = |scheme: &str, tls: &str| server.asked(scheme, tls);
    let mut last = String::new();
    let works = |tls: &str| {
        let (status, text) = said("https", tls);
        assert_eq!(status, Some(0), "{tls}: {text}");
    };
    let is_up = until(|| {
        let (status, text) = said("https", "  ca_file: ca.pem\n");
        last = text;
        status == Some(0)
    });
    assert!(is_up, "{last}");
    let fails = |scheme: &str, tls: &str, words: &str| {
        let (status, text) = said(scheme, tls);
        assert_eq!(status, Some(1), "{words}: {text}");
        assert!(
            text.contains(words) && text.lines().count() == 1,
            "{words}: {text}"
        );
    };
    fails("http", "", "speaks TLS: write https:// in place of http://");
    fails("https", "", "of a CA that is not known here");
    ca(dir, "other");
    fails(
        "https",
        "  ca_file: other.pem\n",
        "has signed: is this the right CA?",
    );
    works("  insecure_skip_verify: true\n");
    works("  ca_file: ca.pem\n  server_name: p.example\n");
    let pem = std::fs::read_to_string(dir.join("ca.pem")).expect("the CA");
    let inline = format!("  ca: |\n    {}\n", pem.trim().replace('\n', "\n    "));
    works(&format!("{inline}  min_version: TLS13\n"));
    works(&format!("{inline}  max_version: TLS12\n"));
    fails(
        "https",
        "  ca_file: ca.pem\n  server_name: q.example\n",
        "has a certificate for 127.0.0.1, p.example, not for q.example",
    );
    fails("https", "  ca_file: none.pem\n", "none.pem cannot be read");

    signed(dir, "late", "ca", "IP:127.0.0.1", "0");
    server.serve("late", "");
    let has_expired = || {
        said("https", "  ca_file: ca.pem\n")
            .1
            .contains("has expired")
    };
    assert!(until(has_expired), "it is valid for a second");

    // A certificate of itself is trusted where it is named, and its name is looked at all the same.
    server.serve("other", "");
    works("  ca_file: other.pem\n");
    fails(
        "https",
        "  ca_file: other.pem\n  server_name: x\n",
        "not for x",
    );
    fails(
        "https",
        "  ca_file: ca.pem\n",
        "ca_file must hold exactly this certificate",
    );

    server.serve(
        "right",
        ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem",
    );
    fails(
        "https",
        "  ca_file: ca.pem\n",
        "wants a certificate of who asks",
    );
    signed(dir, "me", "ca", "DNS:me", "9");
    works("  ca_file: ca.pem\n  cert_file: me.pem\n  key_file: me.key\n");
    signed(dir, "stranger", "other", "DNS:stranger", "9");
    fails(
        "https",
        "  ca_file: ca.pem\n  cert_file: stranger.pem\n  key_file: stranger.key\n",
        "refuses the certificate of",
    );
    fails(
        "https",
        "  ca_file: ca.pem\n  cert_file: me.pem\n  key_file: stranger.key\n",
        "do not belong together",
    );
    server.serve("right", ", max_version: TLS11, min_version: TLS10");
    fails(
        "https",
        "  ca_file: ca.pem\n",
        "speaks neither TLS 1.2 nor 1.3",
    );
}

#[test]
fn a_server_without_tls_and_a_handshake_that_is_cut_are_sentences() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let server = std::thread::spawn(move || {
        let (mut plain, _) = listener.accept().expect("somebody");
        assert!(plain.read(&mut [0; 4096]).expect("a hello") > 0);
        plain
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .expect("written");
        drop(plain);
        drop(listener.accept());
    });
    let said = || fleet(&format!("https://{address}"), &["--once"]).2;
    let errors = said();
    assert!(
        errors.contains("does not speak TLS: write http://"),
        "{errors}"
    );
    let errors = said();
    assert!(
        errors.contains("closes the connection during the TLS handshake"),
        "{errors}"
    );
    server.join().expect("it has ended");
}
