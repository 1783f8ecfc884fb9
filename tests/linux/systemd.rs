//! Limits by systemd and drop-ins for later, against a manager on a socket below a fake root.

mod drop_ins;
mod limits;
mod oomd;
mod refusals;
mod scopes;

use std::path::Path;

use crate::common::fake_root::FakeRoot;
use crate::common::fake_systemd::FakeSystemd;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::limits::{LimitFile, LimitPatch, LimitValue, Limits};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::execute;
use oomtop::model::plan::receipt::{FailureKind, PlanReceipt};
use oomtop::model::plan::{Plan, build, inverse};
use oomtop::model::systemd::{Lasting, UnitName};

const GROUP: &str = "sys/fs/cgroup/system.slice/web.service";
const MAX: &str = "sys/fs/cgroup/system.slice/web.service/memory.max";
const KEPT: &str = "run/systemd/system.control/web.service.d";

fn web() -> UnitName {
    UnitName {
        name: "web.service".to_owned(),
        manager: Manager::System,
    }
}

/// A machine with the group of web.service, its manager, and who writes there.
fn machine() -> (FakeRoot, FakeSystemd, KernelWriter) {
    let root =
        FakeRoot::new()
            .v2_group("system.slice", |g| g)
            .v2_group("system.slice/web.service", |g| {
                g.max("max")
                    .current(5 << 20)
                    .file("memory.high", "max")
                    .file("memory.low", "0")
                    .file("memory.min", "0")
                    .file("memory.swap.max", "max")
                    .file("memory.oom.group", "0")
                    .file("pids.max", "100")
            });
    let base = root.sys_root().base;
    let systemd = FakeSystemd::start(&base, GROUP);
    let writer = KernelWriter::new(root.sys_root(), CgroupVersion::V2);
    (root, systemd, writer)
}

fn set(file: LimitFile, bytes: u64, lasting: Lasting) -> Plan {
    let group = CgroupPath::new("/system.slice/web.service");
    let patch: LimitPatch = [(file, LimitValue::Amount(bytes))].into_iter().collect();
    let plan = build::change_limits(&group, Some(Limits::default()), &patch).expect("a plan");
    build::by_systemd(plan, &web(), lasting)
}

fn limited(bytes: u64) -> Plan {
    set(LimitFile::Max, bytes, Lasting::Runtime)
}

/// Takes it back and finds that it went.
fn undone(writer: &mut KernelWriter, receipts: &[PlanReceipt]) {
    let expected = inverse::expectations(receipts);
    let back = execute::undo(writer, &inverse::of_write(receipts), &expected);
    assert!(!back.is_empty(), "nothing to undo");
    assert!(back.iter().all(|plan| plan.failure().is_none()), "{back:?}");
}

fn sentence(receipt: &PlanReceipt) -> (FailureKind, String) {
    let failure = receipt.failure().expect("it failed");
    (failure.kind, failure.sentence.clone())
}

fn read(base: &Path, file: &str) -> Option<String> {
    let text = std::fs::read_to_string(base.join(file)).ok();
    text.map(|text| text.trim().to_owned())
}
