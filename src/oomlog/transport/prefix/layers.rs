//! The prefixes that are known, one method each.

use super::Peeler;
use crate::oomlog::transport::stamp;

/// Facility names of `dmesg -x`, in the order of their numbers up to `ftp`.
const FACILITIES: [&str; 13] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "local",
];
/// Level names of `dmesg -x` and of `talosctl dmesg`.
pub(super) const LEVELS: [&str; 10] = [
    "emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug",
];

impl<'a> Peeler<'a> {
    /// Takes one prefix off; false if there is none.
    pub(super) fn layer(&mut self) -> bool {
        self.priority()
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
        self.claim(u8::try_from(priority >> 3).unwrap_or(u8::MAX));
        // RFC 5424: the version follows, always 1.
        let Some((clock, fields)) = rest.strip_prefix("1 ").and_then(stamp::wall) else {
            return self.take(rest);
        };
        self.record
            .stamp
            .get_or_insert_with(|| clock.trim().to_owned());
        self.take(fields);
        if !self.rfc5424() {
            self.take(fields.trim_start_matches(' '));
            self.host_and_tag();
        }
        true
    }

    /// `kern  :warn  : ` of `dmesg -x`, `kern: warning: ` of `talosctl dmesg`.
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
        let (Some(number), true) = (number, LEVELS.contains(&level.trim())) else {
            return false;
        };
        self.claim(u8::try_from(number).unwrap_or(u8::MAX));
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
        let mut rest = rest.strip_prefix(' ').unwrap_or(rest);
        if let Some(at) = stamp::since_boot(inside) {
            self.record.at = Some(at);
        } else if let Some(caller) = stamp::caller(inside) {
            self.record.caller = Some(caller.to_owned());
        } else if stamp::is_clock(inside) {
            self.record
                .stamp
                .get_or_insert_with(|| inside.trim().to_owned());
            // `kern: warning: [2025-05-18T15:40:20.6Z]: text`
            rest = rest.strip_prefix(": ").unwrap_or(rest);
        } else if !(stamp::is_relative(inside) || stamp::is_android(inside)) {
            return false;
        }
        self.take(rest);
        // What follows is text: a priority in it proves nothing.
        if !self.told {
            self.claim(0);
            self.program_after_bracket();
        }
        true
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
        self.take(rest);
        // RFC 5424 without its priority. A bracket begins a stamp of the kernel, not the name of a host.
        let is_iso = clock.contains('T') && !rest.starts_with('[');
        // A comma means dmesg's own ISO stamp: no host or program follows.
        if clock.contains(',') {
            self.claim(0);
        } else if !(self.logcat() || (is_iso && self.rfc5424())) {
            self.host_and_tag();
        }
        true
    }
}
