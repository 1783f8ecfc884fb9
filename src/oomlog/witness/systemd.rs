//! systemd's records about the end of a unit: structured ones by their message id (systemd's sd-messages.h), the others
//! by their words (src/core/unit.c, src/core/service.c).

use super::{ExitCode, Fact, Says, Source};

/// `SD_MESSAGE_UNIT_PROCESS_EXIT`.
const PROCESS_EXIT: &str = "98e322203f7a4ed290d09fe03c09fe15";
/// `SD_MESSAGE_UNIT_FAILURE_RESULT`.
const FAILURE: &str = "d9b373ed55a64feb8242e02dbe79a49c";
/// `SD_MESSAGE_UNIT_SUCCESS`.
const SUCCESS: &str = "7ad2d189f7e94e70a38c781354912448";
/// `SD_MESSAGE_UNIT_OUT_OF_MEMORY`.
const OUT_OF_MEMORY: &str = "fe6faa94e7774663a0da52717891d8ef";
/// `SD_MESSAGE_UNIT_STOPPING`.
const STOPPING: &str = "de5b426a63be47a7b6ac3eaac82e2f6f";
/// `SD_MESSAGE_UNIT_STARTED`.
const STARTED: &str = "39f53479d3a045ac8e11786248231fbf";
/// `SD_MESSAGE_UNIT_STARTING`.
const STARTING: &str = "7d4958e842da4a758f6c1cdc7b36dcc5";

/// The fields of a record by a manager.
pub(super) struct Record<'a> {
    /// Microseconds since 1970.
    pub(super) at: i64,
    pub(super) source: Source,
    pub(super) message: &'a str,
    pub(super) unit: &'a str,
    /// Any field by its name.
    pub(super) field: &'a dyn Fn(&str) -> Option<&'a str>,
}

/// What it says; `None` if that is nothing about an end.
pub(super) fn fact(record: &Record<'_>) -> Option<Fact> {
    let fact = |says| Fact {
        unit: Some(record.unit.to_owned()),
        ..Fact::new(record.at, record.source, record.message, says)
    };
    match (record.field)("MESSAGE_ID") {
        Some(PROCESS_EXIT) => {
            // Helpers (ExecStartPre=, ExecStop=) end too.
            if !record.message.contains("Main process exited") {
                return None;
            }
            let code = match (record.field)("EXIT_CODE")? {
                "exited" => ExitCode::Exited,
                "killed" => ExitCode::Killed,
                "dumped" => ExitCode::Dumped,
                _ => return None,
            };
            let status = status(code, (record.field)("EXIT_STATUS")?, record.message)?;
            Some(Fact {
                comm: (record.field)("COMMAND").map(base_name),
                ..fact(Says::MainExit { code, status })
            })
        }
        Some(FAILURE) => {
            let result = (record.field)("UNIT_RESULT")?;
            Some(fact(Says::UnitResult(result.to_owned())))
        }
        Some(SUCCESS) => Some(fact(Says::UnitResult("success".to_owned()))),
        Some(OUT_OF_MEMORY) => Some(fact(Says::UnitOomKill)),
        Some(STOPPING) => Some(fact(Says::Stopping)),
        Some(STARTED | STARTING) => Some(fact(Says::Started)),
        Some(_) => None,
        None => by_words(record.message).map(|(pid, comm, says)| Fact {
            pid,
            comm,
            ..fact(says)
        }),
    }
}

/// `Killing process %d (%s) with signal SIGKILL.` and `Sent signal SIG%s to main process %d (%s) on client request.`
fn by_words(message: &str) -> Option<(Option<u32>, Option<String>, Says)> {
    let named = |rest: &str, end: &str| {
        let (pid, rest) = rest.split_once(" (")?;
        let (comm, _) = rest.rsplit_once(end)?;
        Some((pid.parse().ok()?, comm.to_owned()))
    };
    let (_, text) = message.split_once(": ")?;
    if let Some(rest) = text.strip_prefix("Killing process ") {
        let (pid, comm) = named(rest, ") with signal SIGKILL")?;
        return Some((Some(pid), Some(comm), Says::UnitKills));
    }
    if let Some(rest) = text.strip_prefix("Sent signal ")
        && rest.contains("on client request")
        // Others (SIGHUP: read the settings again) end few services.
        && ["SIGKILL ", "SIGTERM ", "SIGINT ", "SIGQUIT "].iter().any(|end| rest.starts_with(end))
    {
        let process = rest
            .split_once(" process ")
            .and_then(|(_, rest)| named(rest, ") on client request"));
        let (pid, comm) = process.unzip();
        return Some((pid, comm, Says::OnRequest));
    }
    None
}

/// `EXIT_STATUS=` is a number for an exit; for a signal it is one too, or its name (`KILL`).
fn status(code: ExitCode, text: &str, message: &str) -> Option<u32> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    if code == ExitCode::Exited {
        return None;
    }
    // "code=killed, status=9/KILL"
    let (_, rest) = message.split_once("status=")?;
    rest.split('/').next()?.parse().ok()
}

/// The name under which the kernel knows a command, without its path and cut as it cuts.
fn base_name(command: &str) -> String {
    command.rsplit('/').next().unwrap_or(command).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{ExitCode, Record, Says, Source, fact};

    fn said(fields: &[(&str, &str)], message: &str) -> Option<(Option<u32>, Says)> {
        let field = |name: &str| {
            let mut fields = fields.iter();
            fields
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        let record = Record {
            at: 1,
            source: Source::Systemd,
            message,
            unit: "shop.service",
            field: &field,
        };
        fact(&record).map(|fact| (fact.pid, fact.says))
    }

    #[test]
    fn records_about_an_end() {
        let exit = |code, status, message| {
            let id = ("MESSAGE_ID", "98e322203f7a4ed290d09fe03c09fe15");
            said(&[id, ("EXIT_CODE", code), ("EXIT_STATUS", status)], message)
        };
        let message = "shop.service: Main process exited, code=killed, status=9/KILL";
        let killed = Says::MainExit {
            code: ExitCode::Killed,
            status: 9,
        };
        assert_eq!(exit("killed", "9", message), Some((None, killed.clone())));
        assert_eq!(exit("killed", "KILL", message), Some((None, killed)));
        let helper = "shop.service: Control process exited, code=exited, status=1/FAILURE";
        assert_eq!(exit("exited", "1", helper), None);
        let words = "shop.service: Killing process 812 (a (b) with signal SIGKILL.";
        assert_eq!(said(&[], words), Some((Some(812), Says::UnitKills)));
        let words = "shop.service: Sent signal SIGKILL to main process 812 (a) on client request.";
        assert_eq!(said(&[], words), Some((Some(812), Says::OnRequest)));
        let id = ("MESSAGE_ID", "d9b373ed55a64feb8242e02dbe79a49c");
        assert_eq!(
            said(&[id, ("UNIT_RESULT", "oom-kill")], "x"),
            Some((None, Says::UnitResult("oom-kill".to_owned())))
        );
        assert_eq!(said(&[], "shop.service: Consumed 1s CPU time."), None);
    }
}
