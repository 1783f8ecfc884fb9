//! Rules with a group: who is moved into it, with what limit, and who is not.

use std::fs;

use super::stage::{Resident, RuleFile, Script, descendants, run, supervisor, waiting};
use crate::common::memcg::{self, Memcg, Version};
use crate::common::patience::until;
use crate::common::skipped;

fn limit_file(parent: &Memcg) -> &'static str {
    match parent.version() {
        Version::V2 => "memory.max",
        Version::V1 => "memory.limit_in_bytes",
    }
}

fn rules(name: &str, group: &str) -> RuleFile {
    RuleFile::new(&format!(
        "[[rule]]\ntitle = \"pen\"\ncommand = \"*{name}*\"\nmove_to = \"{group}\"\nmemory_max = \"64M\"\n"
    ))
}

fn is_in(pid: u32, group: &str) -> bool {
    memcg::of(pid).as_deref() == Some(group)
}

/// The test's own group, or one around it, has a limit: a rule takes nobody out of that.
fn is_limited() -> bool {
    let (Some((mount, version)), Some(own)) = (memcg::mount(), memcg::of(std::process::id()))
    else {
        return true;
    };
    let file = match version {
        Version::V2 => "memory.max",
        Version::V1 => "memory.limit_in_bytes",
    };
    let own = std::path::PathBuf::from(own.trim_start_matches('/'));
    let mut around = own.ancestors().filter(|path| !path.as_os_str().is_empty());
    around.any(|path| {
        let text = fs::read_to_string(mount.join(path).join(file)).unwrap_or_default();
        text.trim().parse().is_ok_and(|bytes: u64| bytes < 1 << 62)
    })
}

#[test]
fn a_group_with_a_limit_is_made_and_the_whole_family_moved_into_it() {
    let Some(parent) = Memcg::create("rule-pen") else {
        return;
    };
    let name = "oomtop-rules-pen";
    let group = format!("{}/batch", parent.path());
    let rules = rules(name, &group);
    let mut top = supervisor(name);
    top.order("2");
    assert_eq!(top.answer(), "made");
    let family: Vec<_> = descendants(top.pid())
        .into_iter()
        .chain([top.pid()])
        .collect();
    let home = parent.child("home");
    for pid in &family {
        home.add(*pid);
    }
    let (status, table, _) = run(&rules, &["--check"]);
    assert_eq!(status, Some(1), "{table}");
    let would = table
        .lines()
        .filter(|line| line.contains("would move from"));
    assert_eq!(would.count(), 3, "{table}");
    assert!(table.contains("batch (memory_max 64M)"), "{table}");
    let made = parent.dir().join("batch");
    assert!(!made.exists(), "nothing is made");

    let (status, done, errors) = run(&rules, &["--once"]);
    assert_eq!(status, Some(0), "{done}{errors}");
    assert!(
        done.contains("0 values written, 3 processes moved"),
        "{done}"
    );
    assert!(errors.contains("batch (memory_max 64M): "), "{errors}");
    for pid in &family {
        assert!(is_in(*pid, &group), "{pid} is in {:?}", memcg::of(*pid));
    }
    let limit = fs::read_to_string(made.join(limit_file(&parent))).expect("its limit");
    assert_eq!(limit.trim(), (64_u64 << 20).to_string());
    let (status, done, _) = run(&rules, &["--once"]);
    assert_eq!(status, Some(0));
    assert!(done.starts_with("0 values written; "), "{done}");
    let (_, why, _) = run(&rules, &["--why", &top.pid().to_string()]);
    assert!(why.contains("It is in the group of the rule"), "{why}");
}

#[test]
fn nobody_is_taken_out_of_a_limit_and_no_limit_is_lowered() {
    let Some(parent) = Memcg::create("rule-limit") else {
        return;
    };
    let name = "oomtop-rules-limit";
    let (held, batch) = (parent.child("held"), parent.child("batch"));
    fs::write(
        held.dir().join(limit_file(&parent)),
        (32_u64 << 20).to_string(),
    )
    .expect("limited");
    fs::write(
        batch.dir().join(limit_file(&parent)),
        (512_u64 << 20).to_string(),
    )
    .expect("limited");
    let top = waiting(name);
    held.add(top.pid());
    let rules = rules(name, batch.path());
    let (_, table, _) = run(&rules, &["--check"]);
    assert!(table.contains("it would leave the limit of"), "{table}");
    let (status, _, errors) = run(&rules, &["--once"]);
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("it would leave the limit of"), "{errors}");
    assert!(is_in(top.pid(), held.path()));
    let other = waiting(name);
    let free = parent.child("free");
    free.add(other.pid());
    let (_, _, errors) = run(&rules, &["--once"]);
    assert!(
        errors.contains("is there already with a higher limit"),
        "{errors}"
    );
    assert!(is_in(other.pid(), batch.path()), "it is moved all the same");
    let limit = fs::read_to_string(batch.dir().join(limit_file(&parent))).expect("its limit");
    assert_eq!(limit.trim(), (512_u64 << 20).to_string());
}

#[test]
fn who_starts_later_is_moved_and_who_is_moved_out_again_and_again_is_left() {
    let Some(parent) = Memcg::create("rule-later") else {
        return;
    };
    if is_limited() {
        skipped("who_starts_later", "what a test starts is in a limit here");
        return;
    }
    let out = parent.child("out");
    let name = "oomtop-rules-later";
    let group = format!("{}/batch", parent.path());
    let rules = rules(name, &group);
    let resident = Resident::start(&rules, &["--every", "1"]);
    let late = Script::start(name, "read line; :");
    assert!(
        until(|| is_in(late.pid(), &group)),
        "{:?}",
        memcg::of(late.pid())
    );
    for _ in 0..2 {
        out.add(late.pid());
        assert!(until(|| is_in(late.pid(), &group)), "{}", resident.said());
    }
    out.add(late.pid());
    resident.says("left alone from here on");
    assert!(is_in(late.pid(), out.path()));
}
