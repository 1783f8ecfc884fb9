//! What is still there: the process, the unit's group, and counters, as facts of no death.

use crate::linux::{SysRoot, presence};
use crate::model::time::Now;
use crate::oomlog::analysis::death::Question;
use crate::oomlog::witness::{ExitCode, Fact, Says, Source};
use crate::runtime::clock;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A sentence, if it lives.
    pub(super) alive: Option<String>,
    /// Counters.
    pub(super) around: Vec<Fact>,
    /// How it ended, if it is a zombie.
    pub(super) zombie: Option<Fact>,
    /// How many processes the OOM killer has killed since the boot.
    pub(super) kernel_kills: Option<u64>,
}

/// Looks at this machine.
pub(super) fn look(question: &Question, root: &SysRoot, now: Now) -> Found {
    let mut found = Found {
        kernel_kills: presence::kernel_kills(root),
        ..Found::default()
    };
    let at = now.wall.unix_micros;
    if let Some(kills) = found.kernel_kills {
        let words = match kills {
            0 => "the OOM killer has killed nobody since the boot (/proc/vmstat oom_kill 0)"
                .to_owned(),
            kills => format!("/proc/vmstat: oom_kill {kills} since the boot"),
        };
        found
            .around
            .push(Fact::new(at, Source::Counter, &words, Says::Count));
    }
    match question {
        Question::Pid(pid) => process(*pid, root, now, &mut found),
        Question::Unit(name) => unit(name, root, now, &mut found),
        Question::Name(name) => {
            for suffix in [".service", ".scope"] {
                unit(&format!("{name}{suffix}"), root, now, &mut found);
            }
        }
    }
    found
}

fn process(pid: u32, root: &SysRoot, now: Now, found: &mut Found) {
    let Some(present) = presence::process(root, pid) else {
        return;
    };
    let started = now.wall_of_boot(present.started).unix_micros;
    if !present.is_zombie {
        found.alive = Some(format!(
            "Process {pid} ({}) is alive, since {}.",
            present.comm,
            clock::date(started)
        ));
        return;
    }
    let words = format!(
        "{pid} ({}) has ended, its parent has not asked how",
        present.comm
    );
    let Some(status) = present.status else {
        let fact = Fact::new(now.wall.unix_micros, Source::Proc, &words, Says::Count);
        found.around.push(fact);
        return;
    };
    // wait(2): the signal in the low 7 bits, with 128 if memory was dumped, or the status in the next 8.
    let signal = status & 0x7f;
    let (code, status) = match (signal, status & 0x80) {
        (0, _) => (ExitCode::Exited, status >> 8),
        (_, 0) => (ExitCode::Killed, signal),
        (_, _) => (ExitCode::Dumped, signal),
    };
    let how = match code {
        ExitCode::Exited => format!("{words}: status {status}"),
        ExitCode::Killed | ExitCode::Dumped => format!("{words}: signal {status}"),
    };
    found.zombie = Some(Fact {
        pid: Some(pid),
        comm: Some(present.comm),
        ..Fact::new(started, Source::Proc, &how, Says::Waits { code, status })
    });
}

fn unit(name: &str, root: &SysRoot, now: Now, found: &mut Found) {
    for group in presence::unit_groups(root, name) {
        if group.is_alive {
            found.alive = Some(format!("{name} is alive: {} has processes.", group.path));
        }
        let count = |name: &str, count: Option<u64>| count.map(|count| format!("{name} {count}"));
        let counts = [
            count("oom_kill", group.oom_kill),
            count("oom", group.own_oom),
        ];
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        if !counts.is_empty() {
            let words = format!("{}: {} since it was made", group.path, counts.join(", "));
            let fact = Fact::new(now.wall.unix_micros, Source::Counter, &words, Says::Count);
            found.around.push(fact);
        }
    }
}
