//! Takes the transport's prefixes off a line of a text log.
//!
//! A line can wear several, one inside the other (a container runtime's stamp, syslog's stamp and
//! host, the kernel's `[ 12.345678][ T99]`), so they come off one by one, outermost first.

use super::super::record::LogRecord;
use super::stamp;

/// Most prefixes taken off one line.
const MAX_LAYERS: usize = 8;

/// Facility names of `dmesg -x`, in the order of their numbers up to `ftp`.
const FACILITIES: [&str; 13] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "local",
];
/// Level names of `dmesg -x`.
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];

/// A line without its prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stripped {
    /// What is known; `text` is the rest of the line.
    pub(super) record: LogRecord,
    /// Width of the prefixes in characters; 0 if there were none.
    pub(super) width: usize,
    /// The text is a whole message: no other line continues it.
    pub(super) whole: bool,
}

/// What is left of the line, and what was learned so far.
struct Peeler<'a> {
    rest: &'a str,
    record: LogRecord,
    whole: bool,
}

/// Takes the prefixes off.
pub(super) fn strip(line: &str) -> Stripped {
    let line = line.trim_end_matches(['\r', '\n']);
    // A coloured line of dmesg begins with a colour; an escape elsewhere can be part of a name.
    if line.starts_with("\u{1b}[") {
        return strip_plain(&without_colours(line));
    }
    strip_plain(line)
}

fn strip_plain(line: &str) -> Stripped {
    if line.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && let Ok(record) = LogRecord::parse_kmsg(line.as_bytes())
    {
        return Stripped {
            record,
            width: 0,
            whole: true,
        };
    }
    let mut peeler = Peeler {
        rest: line,
        record: LogRecord::default(),
        whole: false,
    };
    for _ in 0..MAX_LAYERS {
        if !peeler.layer() {
            break;
        }
    }
    if peeler.rest.len() == line.len() {
        peeler.glued();
    }
    if peeler.rest.len() == line.len() {
        peeler.anchor();
    }
    let rest = peeler.rest;
    let prefix = line.len() - rest.len();
    let width = line.get(..prefix).map_or(0, |text| text.chars().count());
    let mut record = peeler.record;
    record.text = clean(rest);
    Stripped {
        record,
        width,
        whole: peeler.whole,
    }
}

/// The line without `ESC [ … m`.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after
            .find(|c: char| !(c.is_ascii_digit() || c == ';'))
            .unwrap_or(after.len());
        rest = after.get(end..).unwrap_or("");
        rest = rest.strip_prefix(['m', 'K']).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

/// rsyslog writes control characters as `#NNN` (octal), mail programs blanks as no-break spaces.
fn clean(text: &str) -> String {
    if text.contains("#012") || text.contains('\u{a0}') {
        return text
            .replace("#012", "\n")
            .replace("#011", "\t")
            .replace('\u{a0}', " ");
    }
    text.to_owned()
}

impl<'a> Peeler<'a> {
    /// Takes one prefix off; false if there is none.
    fn layer(&mut self) -> bool {
        self.quote()
            || self.priority()
            || self.facility()
            || self.bracket()
            || self.container()
            || self.wall_clock()
            || self.kernel_tag()
    }

    fn take(&mut self, rest: &'a str) -> bool {
        self.rest = rest;
        true
    }

    /// `> ` of a quoting mail.
    fn quote(&mut self) -> bool {
        match self.rest.strip_prefix("> ") {
            Some(rest) => self.take(rest),
            None => false,
        }
    }

    /// `<4>`, `<30>1 ` of syslog.
    fn priority(&mut self) -> bool {
        let Some((number, rest)) = self
            .rest
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
        else {
            return false;
        };
        let Ok(priority) = number.parse::<u16>() else {
            return false;
        };
        self.record.facility = u8::try_from(priority >> 3).unwrap_or(u8::MAX);
        // RFC 5424 puts the version, always 1, behind it.
        let version = rest.strip_prefix("1 ");
        self.take(version.filter(|r| stamp::wall(r).is_some()).unwrap_or(rest))
    }

    /// `kern  :warn  : ` of `dmesg -x`.
    fn facility(&mut self) -> bool {
        let Some((facility, rest)) = self.rest.split_once(':') else {
            return false;
        };
        let Some((level, rest)) = rest.split_once(':') else {
            return false;
        };
        let name = facility
            .trim_end()
            .trim_end_matches(|c: char| c.is_ascii_digit());
        let number = FACILITIES.iter().position(|&known| known == name);
        let (Some(number), true) = (number, LEVELS.contains(&level.trim_end())) else {
            return false;
        };
        self.record.facility = u8::try_from(number).unwrap_or(u8::MAX);
        self.take(rest.trim_start_matches(' '))
    }

    /// `[ 12.345678]`, `[Fri Sep 25 15:29:47 2020]`, `[ T123]`, `[  +0.000015]`, `[4: name:99]`.
    fn bracket(&mut self) -> bool {
        let Some((inside, rest)) = self
            .rest
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        else {
            return false;
        };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        if let Some(at) = stamp::since_boot(inside) {
            self.record.at = Some(at);
        } else if let Some(caller) = stamp::caller(inside) {
            self.record.caller = Some(caller.to_owned());
        } else if stamp::is_clock(inside) {
            self.record
                .stamp
                .get_or_insert_with(|| inside.trim().to_owned());
        } else if !(stamp::is_relative(inside) || stamp::is_android(inside)) {
            return false;
        }
        self.take(rest)
    }

    /// `2024-05-01T10:00:00.123456789Z stdout F ` of the container runtimes' log format (CRI).
    fn container(&mut self) -> bool {
        let mut words = self.rest.splitn(4, ' ');
        let (Some(time), Some(stream), Some(flag), Some(rest)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return false;
        };
        if !(matches!(stream, "stdout" | "stderr") && matches!(flag, "F" | "P")) {
            return false;
        }
        self.record.stamp.get_or_insert_with(|| time.to_owned());
        self.take(rest)
    }

    /// `Jun 20 12:47:02 host kernel: `, `2024-05-26T06:17:00+02:00 host app[1]: ` and the like.
    fn wall_clock(&mut self) -> bool {
        let Some((clock, rest)) = stamp::wall(self.rest) else {
            return false;
        };
        self.record.stamp.get_or_insert_with(|| clock.to_owned());
        let rest = rest.trim_start_matches(' ');
        // dmesg's own ISO stamp has a comma in it, and neither host nor program behind it.
        if clock.contains(',') {
            return self.take(rest);
        }
        self.take(rest);
        self.host_and_tag();
        true
    }

    /// `host kernel: `, `host app[12]: `, `kern.warn kernel: `, `host kernel - - - `.
    fn host_and_tag(&mut self) {
        if let Some(rest) = behind_kernel_tag(self.rest, 3) {
            self.take(rest);
            return;
        }
        let mut words = self.rest.splitn(3, ' ');
        let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let rest = words.next().unwrap_or("");
        if second.ends_with(':') && !second.starts_with("oom") && !first.ends_with(':') {
            // Another program: it may say whatever it likes.
            self.record.facility = self.record.facility.max(1);
            self.record.program = second.strip_suffix(':').map(str::to_owned);
            self.take(rest);
        } else if first.ends_with("]:") {
            self.record.facility = self.record.facility.max(1);
            self.record.program = first.strip_suffix(':').map(str::to_owned);
            let at = first.len().min(self.rest.len());
            let rest = self.rest.get(at..).unwrap_or("");
            self.take(rest.strip_prefix(' ').unwrap_or(rest));
        }
    }

    /// `kernel: ` or `host kernel: ` without any time.
    fn kernel_tag(&mut self) -> bool {
        match behind_kernel_tag(self.rest, 2) {
            Some(rest) => self.take(rest),
            None => false,
        }
    }

    /// A prefix that is not known: the lines that must not be lost are found by what begins them.
    fn anchor(&mut self) {
        const ANCHORS: [&str; 4] = [
            "Memory cgroup out of memory: Kill",
            "Out of memory: Kill",
            "Out of Memory: Kill",
            "oom-kill:constraint=",
        ];
        let found = ANCHORS.iter().find_map(|anchor| self.rest.find(anchor));
        if let Some(rest) = found.and_then(|at| self.rest.get(at..)) {
            self.take(rest);
        }
    }

    /// A program's output on the console in front of the kernel's stamp: `Killed[    6.005263] x`.
    fn glued(&mut self) {
        let found = self.rest.match_indices('[').find_map(|(at, _)| {
            let (inside, _) = self.rest.get(at + 1..)?.split_once(']')?;
            stamp::since_boot(inside).map(|_| at)
        });
        if let Some(rest) = found.and_then(|at| self.rest.get(at..)) {
            self.take(rest);
            while self.bracket() {}
        }
    }
}

/// What stands behind `kernel: ` (or `kernel - - - ` of RFC 5424) if that is one of the first
/// `words` words and no other program's tag stands before it.
fn behind_kernel_tag(text: &str, words: usize) -> Option<&str> {
    let mut rest = text;
    for _ in 0..words {
        let (word, after) = rest.split_once(' ')?;
        if word == "kernel:" {
            return Some(after);
        }
        if word == "kernel" {
            let mut fields = after.splitn(4, ' ');
            let (pid, id, data) = (fields.next()?, fields.next()?, fields.next()?);
            return (pid == "-" && !id.is_empty() && data == "-")
                .then(|| fields.next())
                .flatten();
        }
        if word.ends_with(':') {
            return None;
        }
        rest = after.trim_start_matches(' ');
    }
    None
}
