//! A drop-in for a service, and its writer killed between the file, systemd's answer and the way back.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::MOMENTS;
use crate::common::fake_systemd::FakeSystemd;
use crate::common::hands::Dice;
use crate::common::measured;
use crate::common::patience::{beside, until};
use oomtop::linux::SysRoot;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::killers::oom_policy::Manager;
use oomtop::model::plan::execute::Executor as _;
use oomtop::model::plan::receipt::Reading;
use oomtop::model::plan::step::UnitStep;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::systemd::drop_in::{DropInWrite, Found, Setting};
use oomtop::model::systemd::{Lasting, UnitName};

/// Set for the child that writes drop-ins: the root of its files.
const ORDER: &str = "OOMTOP_TEST_DROP_INS";

const PLACE: &str = "run/systemd/system/web.service.d";

fn writer(base: &Path) -> KernelWriter {
    let root = SysRoot {
        base: base.to_owned(),
        ..SysRoot::default()
    };
    KernelWriter::new(root, CgroupVersion::None)
}

/// Sets the value and takes it back, from whatever is there.
fn there_and_back(writer: &mut KernelWriter) {
    let setting = Setting::ScoreAdjust(OomScoreAdj::new(5).expect("in range"));
    let unit = UnitName {
        name: "web.service".to_owned(),
        manager: Manager::System,
    };
    let write =
        |found: &Found| DropInWrite::setting(unit.clone(), Lasting::Runtime, found, setting);
    let look = UnitStep::DropIn(write(&Found::default())).into();
    let Ok(Reading::DropIn(found)) = writer.look(&look) else {
        panic!("it cannot be looked at");
    };
    let write = write(&found);
    // A killed run has left the value: there is nothing but the way back to do.
    let back = DropInWrite {
        was: write.text.clone(),
        text: None,
        and_directory: true,
        ..write.clone()
    };
    for step in [write, back] {
        let receipt = writer.step(&UnitStep::DropIn(step).into());
        assert_eq!(receipt.failure(), None);
    }
}

/// Not a test: the process that writes until it is killed, when `ORDER` tells it to.
#[test]
fn writing_child() {
    let Ok(base) = std::env::var(ORDER) else {
        return;
    };
    let mut writer = writer(base.as_ref());
    loop {
        there_and_back(&mut writer);
    }
}

fn start(base: &Path) -> Child {
    beside();
    Command::new(std::env::current_exe().expect("the test's own path"))
        .args(["cut_off::drop_ins::writing_child", "--exact", "--nocapture"])
        .env(ORDER, base)
        .stdout(Stdio::null())
        .spawn()
        .expect("the test binary starts again")
}

#[test]
fn a_drop_in_is_whole_or_not_there_whenever_its_writer_is_killed() {
    let dir = tempfile::tempdir().expect("a directory");
    let systemd = FakeSystemd::start(dir.path(), "none");
    systemd.loads(5);
    let place = dir.path().join(PLACE);
    let names = || {
        let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().expect("text"))
            .collect();
        names.sort();
        names
    };
    let mut dice = Dice(0x0d20_b1e5);
    let (mut left, mut drafts) = (0, 0);
    for _ in 0..MOMENTS {
        let loads = systemd.reloads();
        let mut child = start(dir.path());
        // It has begun, so that the moment is within a write.
        assert!(
            until(|| systemd.reloads() > loads),
            "{:?}",
            child.try_wait()
        );
        std::thread::sleep(Duration::from_micros(dice.roll(3000) as u64));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        for name in names() {
            match name.as_str() {
                "50-oomtop.conf" => {
                    let text = std::fs::read_to_string(place.join(name)).expect("read");
                    let is_whole = text.starts_with("# Written by oomtop.")
                        && text.ends_with("[Service]\nOOMScoreAdjust=5\n");
                    assert!(is_whole, "{text:?}");
                    left += 1;
                }
                // systemd reads only names that end in .conf.
                "50-oomtop.conf.new" => drafts += 1,
                other => panic!("{other}"),
            }
        }
    }
    // The next write sees what is there, and its way back leaves nothing.
    there_and_back(&mut writer(dir.path()));
    assert_eq!(names(), Vec::<String>::new());
    assert!(!place.exists());
    measured(&format!(
        "{MOMENTS} writers of a drop-in killed: {left} files left, all whole, {drafts} that systemd does not read"
    ));
}
