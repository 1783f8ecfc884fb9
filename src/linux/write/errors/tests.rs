//! Each errno of a step that can be seen, and the part of its sentence that helps.

use super::Attempt;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::plan::receipt::FailureKind;
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;
use rustix::io::Errno;

fn say(version: CgroupVersion, step: &CgroupStep, errno: Errno) -> (FailureKind, String) {
    let attempt = Attempt {
        version,
        directory: "/sys/fs/cgroup/web".to_owned(),
        exists: true,
        usage: Some(4096),
        step,
    };
    let failure = attempt.explain(errno);
    (failure.kind, failure.sentence)
}

#[test]
fn a_groups_name_is_no_part_of_a_command() {
    let name = "/x'; touch PWN; echo '";
    let group = CgroupPath::new(name);
    let target = ProcessId {
        pid: 42,
        start_ticks: 1,
    };
    let write = LimitWrite {
        file: LimitFile::V1Limit,
        value: LimitValue::Amount(100),
    };
    for step in [
        CgroupStep::EnableMemory(group.clone()),
        CgroupStep::Create(group.clone()),
        CgroupStep::Limit(group.clone(), write),
        CgroupStep::Move(target, group.clone()),
        CgroupStep::Remove(group),
    ] {
        let attempt = Attempt {
            version: CgroupVersion::V1,
            directory: name.to_owned(),
            exists: true,
            usage: None,
            step: &step,
        };
        let sentence = attempt.explain(Errno::ACCESS).sentence;
        // Every quote of the name stands outside of the others, escaped.
        assert!(
            sentence.contains(r"'/x'\''; touch PWN; echo '\''"),
            "{sentence}"
        );
        let (_, command) = sentence.rsplit_once(": ").unwrap();
        assert!(!command.contains("x'; touch"), "{command}");
    }
}

#[test]
fn every_errno_has_a_sentence_that_says_what_helps() {
    let web = CgroupPath::new("/web");
    let target = ProcessId {
        pid: 42,
        start_ticks: 1,
    };
    let limit = CgroupStep::Limit(
        web.clone(),
        LimitWrite {
            file: LimitFile::V1Limit,
            value: LimitValue::Amount(100),
        },
    );
    let (v1, v2) = (CgroupVersion::V1, CgroupVersion::V2);
    let movement = CgroupStep::Move(target, web.clone());
    let enable = CgroupStep::EnableMemory(web.clone());
    let disable = CgroupStep::DisableMemory(web.clone());
    let create = CgroupStep::Create(web.clone());
    let freeze = CgroupStep::Freeze(web.clone(), true);
    let reclaim = CgroupStep::Reclaim(web.clone(), 1 << 20);
    let kill = CgroupStep::Kill(web.clone());
    let remove = CgroupStep::Remove(web);
    let cases = [
        (v1, &limit, Errno::BUSY, "uses 4096 bytes now"),
        (v1, &limit, Errno::INVAL, "memory+swap"),
        (v2, &limit, Errno::INVAL, "does not take '100'"),
        (v2, &limit, Errno::NOENT, "has no file"),
        (v2, &movement, Errno::BUSY, "may hold no processes itself"),
        (v2, &movement, Errno::OPNOTSUPP, "cgroup.type"),
        (v2, &movement, Errno::ACCESS, "encloses both"),
        (v2, &movement, Errno::INVAL, "kernel thread"),
        // pids.max keeps no process out.
        (v2, &movement, Errno::AGAIN, "the kernel asks to try again."),
        (v2, &movement, Errno::SRCH, "has ended"),
        (v2, &movement, Errno::NODEV, "not there"),
        (v2, &movement, Errno::NOENT, "namespace"),
        (v2, &enable, Errno::BUSY, "holds processes itself"),
        (v2, &enable, Errno::NOENT, "enabled in the groups above"),
        (v2, &enable, Errno::OPNOTSUPP, "threaded"),
        (v2, &disable, Errno::BUSY, "stays enabled"),
        (v2, &disable, Errno::NODEV, "not there"),
        (v2, &create, Errno::NOSPC, "no room for another group"),
        (v2, &create, Errno::INVAL, "does not take the name"),
        (v2, &movement, Errno::MFILE, "ulimit -n"),
        (v2, &create, Errno::AGAIN, "cgroup.max.descendants"),
        (v2, &create, Errno::EXIST, "exists already"),
        (v2, &create, Errno::ROFS, "read-only"),
        (v2, &remove, Errno::BUSY, "not empty"),
        (v2, &remove, Errno::NOENT, "not there"),
        (
            v2,
            &freeze,
            Errno::ACCESS,
            "echo 1 > /sys/fs/cgroup/web/cgroup.freeze",
        ),
        (v2, &freeze, Errno::NODEV, "not there"),
        (
            v2,
            &reclaim,
            Errno::NOENT,
            "this kernel has no memory.reclaim",
        ),
        (v2, &reclaim, Errno::INTR, "was not made smaller"),
        (v2, &kill, Errno::OPNOTSUPP, "cgroup.type"),
        (
            v2,
            &kill,
            Errno::PERM,
            "echo 1 > /sys/fs/cgroup/web/cgroup.kill",
        ),
    ];
    for (version, step, errno, part) in cases {
        let (_, sentence) = say(version, step, errno);
        assert!(sentence.contains(part), "{step:?} {errno:?}: {sentence}");
    }
    assert_eq!(say(v2, &movement, Errno::SRCH).0, FailureKind::Gone);
    assert_eq!(say(v2, &create, Errno::ACCESS).0, FailureKind::Denied);
    assert_eq!(say(v2, &remove, Errno::NOENT).0, FailureKind::NoGroup);
}
