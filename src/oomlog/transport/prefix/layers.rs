//! The prefixes that are known, one method each.

use super::Peeler;
use crate::oomlog::transport::stamp;

/// Facility names of `dmesg -x`, in the order of their numbers up to `ftp`.
const FACILITIES: [&str; 13] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "local",
];
/// Level names of `dmesg -x`.
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];

impl<'a> Peeler<'a> {
    /// Takes one prefix off; false if there is none.
    pub(super) fn layer(&mut self) -> bool {
        self.quote()
            || self.priority()
            || self.facility()
            || self.bracket()
            || self.container()
            || self.wall_clock()
            || self.kernel_tag()
    }

    pub(super) fn take(&mut self, rest: &'a str) -> bool {
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
        // RFC 5424: the version follows, always 1.
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
    pub(super) fn bracket(&mut self) -> bool {
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
        // A comma means dmesg's own ISO stamp: no host or program follows.
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
            // Another program, whose text may claim anything: not a kernel event.
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

    /// `kernel: ` or `host kernel: ` without a stamp.
    fn kernel_tag(&mut self) -> bool {
        match behind_kernel_tag(self.rest, 2) {
            Some(rest) => self.take(rest),
            None => false,
        }
    }
}

/// The text behind `kernel: ` (`kernel - - - ` in RFC 5424), if that tag is among the first `words` words and no
/// other program's tag precedes it.
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
