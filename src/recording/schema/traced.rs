//! What tracepoints told.

use crate::model::traced::FactSource;
use crate::model::traced::HowTaken;
use crate::model::traced::Sender;
use crate::model::traced::Sigkill;
use crate::model::traced::TracedKill;
use crate::recording::codec::{choice, record};

record!(TracedKill {
    number,
    pid,
    thread,
    start_ticks,
    comm,
    at,
    how,
    counted,
    uid,
    adj,
    memory,
    page_size,
    cgroup_id,
    cgroup,
    asked_by,
    facts
});
choice!(HowTaken { 0 => Killed, 1 => Ending, 2 => SharesMemory(a) });
choice!(FactSource { 0 => Tracepoint, 1 => Proc, 2 => Nobody });
record!(Sigkill {
    at,
    target,
    comm,
    by,
    charged
});
choice!(Sender { 0 => Process { pid, uid, comm }, 1 => Kernel });
