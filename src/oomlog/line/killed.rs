//! The "Killed process" line in all its forms since 2.6.19.

use super::{kb_after, leading_number, number_after, squeeze};
use crate::oomlog::base::CUT;
use crate::oomlog::line::fact::{KilledLine, Verdict};

/// `[%s: ]Killed process %d[, UID %d,] (%s)[, UID %d,] total-vm:%lukB, anon-rss:… oom_score_adj:%hd`.
///
/// Only a message about memory may precede it: other programs write "Killed process" too.
pub(super) fn killed(line: &str) -> Option<Verdict> {
    let (before, after) = line.split_once("Killed process ")?;
    let message = before.trim_start();
    let message = message.strip_suffix(": ").unwrap_or(message);
    if !message.is_empty() && !is_oom_message(message) {
        return None;
    }
    let (pid, rest) = leading_number(after)?;
    let open = rest.find('(')?;
    let (gap, name) = rest.split_at(open);
    // 2.6.32: `Killed process 12, UID 27, (mysqld) total-vm:…`.
    let gap = squeeze(gap);
    if !(gap.is_empty() || gap == "," || gap.starts_with(",UID")) {
        return None;
    }
    let (comm, tail) = comm_and_tail(name.get(1..)?);
    let tail = squeeze(tail);
    Some(Verdict::Killed(KilledLine {
        message: (!message.is_empty()).then(|| message.to_owned()),
        pid,
        comm: comm.to_owned(),
        uid: number_after(&gap, "UID")
            .or_else(|| number_after(&tail, "UID:"))
            .or_else(|| number_after(&tail, "UID")),
        total_vm_kb: kb_after(&tail, "total-vm:"),
        anon_rss_kb: kb_after(&tail, "anon-rss:"),
        file_rss_kb: kb_after(&tail, "file-rss:"),
        shmem_rss_kb: kb_after(&tail, "shmem-rss:"),
        pgtables_kb: kb_after(&tail, "pgtables:"),
        adj: number_after(&tail, "oom_score_adj:"),
    }))
}

/// The kernel's words in front of "Kill(ed) process": `Out of memory`, `Memory cgroup out of memory`,
/// `Out of memory (oom_kill_allocating_task)`, `Out of Memory` before 2.6.24.
///
/// They must begin the record: elsewhere in a record the words may come from a device or a program.
pub(super) fn is_oom_message(message: &str) -> bool {
    let known = ["out of memory", "memory cgroup out of memory"];
    known.iter().any(|start| {
        message
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    }) && !message.contains('\n')
}

/// Splits `name) total-vm:…` at the parenthesis that closes the name. A name may hold parentheses: the last
/// one that is followed by text of the kernel counts. Without any, the line was cut inside the name.
pub(super) fn comm_and_tail(text: &str) -> (&str, &str) {
    let closing = text.rmatch_indices(')').find(|&(at, _)| {
        let tail = text.get(at + 1..).unwrap_or_default();
        let tail = tail.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '.');
        // An empty tail, or one cut inside the next word.
        "total-vm".starts_with(tail.trim_end_matches(CUT))
            || ["total-vm", "UID", "score ", "sharing ", "now ", "is "]
                .iter()
                .any(|word| tail.starts_with(word))
            // A mail program broke the word behind the name.
            || squeeze(tail.get(..24).unwrap_or(tail)).starts_with("total-vm:")
    });
    match closing {
        Some((at, _)) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::killed;
    use crate::oomlog::line::fact::{KilledLine, Verdict};

    fn line(text: &str) -> KilledLine {
        match killed(text) {
            Some(Verdict::Killed(line)) => line,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_form() {
        let oldest = line("Killed process 4222 (httpd)");
        assert_eq!(
            (oldest.pid, oldest.comm.as_str(), oldest.total_vm_kb),
            (4222, "httpd", None)
        );
        let cut = line("Out of memory: Killed process 7 (a) total-vm:6424316kB, anon-rss:131");
        assert_eq!((cut.total_vm_kb, cut.anon_rss_kb), (Some(6_424_316), None));
        let el5 = line("Out of memory: Killed process 4222, UID 48, (httpd).");
        assert_eq!((el5.uid, el5.comm.as_str()), (Some(48), "httpd"));
        let el6 = line(
            "Killed process 40738, UID 27, (mysqld) total-vm:6424316kB, anon-rss:13128kB, file-rss:4kB",
        );
        assert_eq!(
            (el6.uid, el6.anon_rss_kb, el6.shmem_rss_kb),
            (Some(27), Some(13128), None)
        );
        let el7 = line(
            "Killed process 7 (x), UID 5, total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:4kB",
        );
        assert_eq!((el7.uid, el7.shmem_rss_kb), (Some(5), Some(4)));
        let new = line(
            "Memory cgroup out of memory: Killed process 212 (a) (b: c,d) total-vm:38604kB, anon-rss:27532kB, file-rss:5520kB, shmem-rss:0kB, UID:0 pgtables:112kB oom_score_adj:-100",
        );
        assert_eq!(new.comm, "a) (b: c,d");
        assert_eq!(
            (new.pgtables_kb, new.adj, new.uid),
            (Some(112), Some(-100), Some(0))
        );
        assert_eq!(new.message.as_deref(), Some("Memory cgroup out of memory"));
        let wrapped = line(
            "Out of memory: Killed process 1 (x) \ntotal-vm:7kB, anon-rss:2kB, file-rss\n:5kB, sh\nmem-rss:0kB, UID:9 pgtables:1kB",
        );
        assert_eq!(
            (
                wrapped.total_vm_kb,
                wrapped.file_rss_kb,
                wrapped.shmem_rss_kb
            ),
            (Some(7), Some(5), Some(0))
        );
    }

    #[test]
    fn odd_names_and_strangers() {
        assert_eq!(
            line("Out of memory: Killed process 4503 ((sd-pam)) total-vm:1kB").comm,
            "(sd-pam)"
        );
        assert_eq!(
            line("Out of memory: Killed process 9 (x, UID:0 adj:9) total-vm:1kB, UID:3").uid,
            Some(3)
        );
        assert_eq!(
            line("Out of memory: Killed process 9 (nl\nOut of mem) total-vm:1kB").comm,
            "nl\nOut of mem"
        );
        assert_eq!(
            line("Out of memory: Killed process 9 (cut of").comm,
            "cut of"
        );
        assert_eq!(killed("supervisor: Killed process 12 (x)"), None);
        assert_eq!(killed("Killed process group"), None);
    }
}
