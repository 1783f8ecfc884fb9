//! The head of a report: who asked for memory, with which flags, on which CPU.

use super::{leading_number, number_after, squeeze, value_after};
use crate::oomlog::base::CUT;
use crate::oomlog::line::fact::{Body, CpuLine, Invoked, Verdict};

/// `%s invoked oom-killer: gfp_mask=0x%x, order=%d, oomkilladj=%d` and its nine younger forms. People cut
/// off what follows the colon, so it may be missing.
pub(super) fn invoked(line: &str) -> Option<Verdict> {
    let at = line.find("oom-killer")?;
    let (before, after) = line.split_at(at);
    let comm = before
        .trim_end_matches([' ', '\n', '\t'])
        .strip_suffix("invoked")?;
    let comm = comm.strip_suffix([' ', '\n'])?;
    let tail = squeeze(after.strip_prefix("oom-killer")?);
    if !(tail.is_empty() || tail.starts_with(':')) {
        return None;
    }
    let mask = tail.split_once("gfp_mask=0x").map(|(_, rest)| {
        let end = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        rest.split_at(end)
    });
    // Flags or a comma always follow: without them the line was cut inside the mask.
    let mask = mask.filter(|(_, behind)| behind.starts_with(['(', ',']));
    let (mask, behind) = mask.unzip();
    let flags = behind
        .and_then(|rest| rest.strip_prefix('('))
        .and_then(|rest| rest.split_once(')'))
        .map(|(flags, _)| flags.to_owned());
    let nodemask = tail
        .split_once("nodemask=")
        .and_then(|(_, rest)| rest.split_once(",order="))
        .map(|(mask, _)| mask.trim_end_matches(',').to_owned());
    Some(Verdict::Invoked(Invoked {
        comm: comm.to_owned(),
        gfp_mask: mask.and_then(|digits| u64::from_str_radix(digits, 16).ok()),
        gfp_flags: flags,
        nodemask,
        order: number_after(&tail, "order="),
        adj: number_after(&tail, "oom_score_adj="),
        legacy_adj: value_after(&tail, "oom_adj=")
            .or_else(|| value_after(&tail, "oomkilladj="))
            .and_then(|number| number.parse().ok()),
    }))
}

/// `CPU: 0 UID: 0 PID: 1 Comm: x Kdump: loaded Not tainted 6.12.0 #1` (4.9 and later; el7, 3.16).
pub(super) fn cpu(line: &str) -> Option<Body> {
    let (before, after) = line.split_once("Comm: ")?;
    if !before.trim_start().starts_with("CPU") {
        return None;
    }
    let (_, pid) = before.rsplit_once("PID: ")?;
    running(pid, after)
}

/// `Pid: 1, comm: x Not tainted 2.6.32 #1` (before 3.10).
pub(super) fn old_cpu(line: &str) -> Option<Body> {
    let (before, after) = line.split_once(", comm: ")?;
    running(before.trim_start().strip_prefix("Pid: ")?, after)
}

/// The name ends before the taint. A name may hold such a word too, so the last one counts.
fn running(pid: &str, after: &str) -> Option<Body> {
    let (pid, _) = leading_number(pid)?;
    let end = [" Not tainted", " Tainted:", "\nNot tainted", "\nTainted:"]
        .iter()
        .filter_map(|word| after.rfind(word))
        .max()?;
    let (comm, rest) = after.split_at(end);
    // RHEL 8, Oracle (crash-dump state) and OpenVZ (container id) print more between name and taint.
    let comm = comm.strip_suffix(" Kdump: loaded").unwrap_or(comm);
    let comm = ["  ve: ", " ve: ", " veid: "]
        .iter()
        .find_map(|word| comm.rsplit_once(word))
        .map_or(comm, |(comm, _)| comm);
    // The number of the build follows a version. Where the line ends with it, 5.1 may be what is left of 5.10.209.
    let is_whole = |word: &&str| word.matches('.').count() > 1 || !rest.trim_end().ends_with(word);
    let kernel = rest
        .split_whitespace()
        .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()))
        .filter(|word| is_whole(word) && !word.ends_with(CUT));
    Some(Body::Cpu(CpuLine {
        pid,
        comm: comm.to_owned(),
        kernel: kernel.map(str::to_owned),
    }))
}

/// `%s cpuset=%s mems_allowed=%*pbl` (up to 4.20).
pub(super) fn cpuset(line: &str) -> Option<Body> {
    let (before, mems) = line.rsplit_once(" mems_allowed=")?;
    let (_, cpuset) = before.split_once(" cpuset=")?;
    Some(Body::Cpuset {
        cpuset: cpuset.to_owned(),
        mems: mems.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{cpu, invoked, old_cpu};
    use crate::oomlog::line::fact::{Body, Invoked, Verdict};

    fn head(line: &str) -> Invoked {
        match invoked(line) {
            Some(Verdict::Invoked(head)) => head,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_form_of_the_first_line() {
        let oldest = head("httpd invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=-17");
        assert_eq!(
            (oldest.gfp_mask, oldest.legacy_adj, oldest.adj),
            (Some(0x201d2), Some(-17), None)
        );
        let el6 = head(
            "php-fpm invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=0, oom_score_adj=5",
        );
        assert_eq!((el6.legacy_adj, el6.adj), (Some(0), Some(5)));
        let v49 = head(
            "python3 invoked oom-killer: gfp_mask=0x24000c0(GFP_KERNEL), nodemask=0-1,3, order=-1, oom_score_adj=-1000",
        );
        assert_eq!(v49.nodemask.as_deref(), Some("0-1,3"));
        assert_eq!((v49.order, v49.adj), (Some(-1), Some(-1000)));
        let wrapped =
            head("mkfs.ext4 invoked\noom-killer: gfp_mask=0x0(), order=0,\noom_score_adj=7");
        assert_eq!(
            (wrapped.comm.as_str(), wrapped.gfp_flags.as_deref()),
            ("mkfs.ext4", Some(""))
        );
        assert_eq!(
            head("runc:[2:INIT] invoked oom-killer").comm,
            "runc:[2:INIT]"
        );
        assert_eq!(invoked("the oom-killer was not invoked"), None);
    }

    #[test]
    fn names_may_hold_anything() {
        let Some(Body::Cpu(line)) = cpu(
            "CPU: 1 UID: 78 PID: 558 Comm: nl\nOut of memor Not tainted 7.3.4+deb13 #1 PREEMPT(lazy)",
        ) else {
            panic!("not read");
        };
        assert_eq!((line.pid, line.comm.as_str()), (558, "nl\nOut of memor"));
        assert_eq!(line.kernel.as_deref(), Some("7.3.4+deb13"));
        let Some(Body::Cpu(line)) = cpu("CPU: 1 PID: 7 Comm: a Not tainted 5.1") else {
            panic!("not read");
        };
        assert_eq!(line.kernel, None, "5.10, cut");
        let Some(Body::Cpu(line)) =
            old_cpu("Pid: 23212, comm: php-fpm Not tainted 2.6.32-642.11.1.el6.x86_64 #1")
        else {
            panic!("not read");
        };
        assert_eq!((line.pid, line.comm.as_str()), (23212, "php-fpm"));
    }
}
