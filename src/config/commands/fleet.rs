//! `oomtop fleet`.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::environment::Environment;
use crate::config::flags::Flags;
use crate::config::{Stop, http_file, sources};
use crate::model::fleet::credentials::HttpConfig;
use crate::ui::theme::Theme;

/// The end of the help.
const NOTES: &str = "\
Prometheus scrapes `oomtop metrics` on each host; the fleet is read back from Prometheus. Hosts with node_exporter or cadvisor \
alone have a row too, with used share and kills. Enter runs --command in place of the screen, without a shell: its words are \
separated by blanks, and HOST in them is the host.

The file of --http.config.file is that of promtool: basic_auth (username, password or password_file), authorization (type, \
credentials or credentials_file), bearer_token_file, tls_config (ca, cert and key as text or ca_file, \
cert_file and key_file, server_name, insecure_skip_verify, min_version, max_version). Without a CA the system's certificates (ca-certificates) are trusted, or those of SSL_CERT_FILE.";

/// Many hosts, ranked by how near they are to an OOM, from Prometheus.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(in crate::config) struct FleetArgs {
    /// Address of Prometheus, such as http://prometheus:9090
    #[arg(long, value_name = "URL", value_parser = address)]
    prometheus: String,

    /// Matchers that choose the targets of oomtop
    #[arg(
        long = "match",
        value_name = "MATCHERS",
        default_value = "job=\"oomtop\""
    )]
    matcher: String,

    /// Who asks: a file as that of promtool
    #[arg(long = "http.config.file", value_name = "FILE")]
    http_file: Option<PathBuf>,

    /// Seconds between two rounds of queries, 1 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,

    /// What Enter runs
    #[arg(long, value_name = "COMMAND", default_value = "ssh -t HOST oomtop", value_parser = command)]
    command: String,

    /// Print one plain table and exit
    #[arg(long)]
    once: bool,

    /// Print one JSON document and exit
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err("takes an address such as http://prometheus:9090".to_owned());
    };
    let host = rest.split('/').next().unwrap_or("");
    if host.contains('@') {
        return Err("name and password are for the file of --http.config.file: an address is shown to everybody who lists processes".to_owned());
    }
    if host.is_empty()
        || rest.contains(['?', '#'])
        || rest.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return Err("takes an address such as http://prometheus:9090".to_owned());
    }
    Ok(text.to_owned())
}

fn command(text: &str) -> Result<String, String> {
    let mut words = text.split_whitespace();
    match words.next() {
        None => Err("takes a command, such as ssh -t HOST oomtop".to_owned()),
        Some(program) if program.contains("HOST") => {
            Err("HOST is an argument of the command, not the command".to_owned())
        }
        Some(_) if !words.any(|word| word.contains("HOST")) => {
            Err("needs HOST where the host goes, such as ssh -t HOST oomtop".to_owned())
        }
        Some(_) => Ok(text.to_owned()),
    }
}

/// A fleet to show.
#[derive(Debug)]
pub struct FleetLaunch {
    /// Address of Prometheus.
    pub prometheus: String,
    /// Matchers of the targets of oomtop.
    pub matcher: String,
    /// Who asks, and how TLS is trusted.
    pub http: HttpConfig,
    /// How often.
    pub every: Duration,
    /// What `Enter` runs, word by word.
    pub command: Vec<String>,
    /// One table.
    pub once: bool,
    /// One document.
    pub json: bool,
    /// How it looks.
    pub theme: Theme,
    /// Only ASCII.
    pub ascii: bool,
}

impl FleetArgs {
    /// # Errors
    /// Wrong settings, a file that cannot be read, and no terminal.
    pub(super) fn resolve(self, environment: &Environment) -> Result<FleetLaunch, Stop> {
        let sources = sources::read(Flags::default(), environment).map_err(Stop::wrong)?;
        let theme = sources.theme();
        let values = sources.configuration.values;
        let file = self.http_file.as_deref().map(http_file::read);
        let http = file.transpose().map_err(|why| Stop::wrong([why]))?;
        if !self.once && !self.json && !environment.terminal {
            return Err(Stop::wrong(["the fleet needs a terminal for its input and output; use --once for a plain table, or --json".to_owned()]));
        }
        Ok(FleetLaunch {
            prometheus: self.prometheus,
            matcher: self.matcher,
            http: http.unwrap_or_default(),
            every: Duration::from_secs(self.every),
            command: self.command.split_whitespace().map(str::to_owned).collect(),
            once: self.once,
            json: self.json,
            theme,
            ascii: values.settings.ascii,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{address, command};

    #[test]
    fn addresses_and_commands_that_cannot_be_are_refused() {
        for right in [
            "http://a",
            "http://a:9090/prometheus/",
            "http://[::1]:9090",
            "https://a",
        ] {
            assert!(address(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "a:9090",
            "ftp://a",
            "https://",
            "http://",
            "http:///x",
            "http://u:p@a",
            "http://a?x",
            "http://a b",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert!(command("ssh -t root@HOST oomtop").is_ok());
        for wrong in ["", " ", "ssh", "HOST x", "ssh host"] {
            assert!(command(wrong).is_err(), "{wrong}");
        }
    }
}
