//! Every way in which README tells to look at a host from inside a container, with real namespaces: the domain of
//! a group has its members, whatever of the tree and of the processes is seen.
#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::Value;

use crate::common::hog::Hog;
use crate::common::memcg::{self, Memcg, Version};

const MIB: u64 = 1 << 20;

/// What is made of the namespaces, in shell, before oomtop starts as `"$oomtop" "$@"`; `$memory` is the mount point
/// of the memory hierarchy, `$group` the directory of the inner group, `$host` an empty directory.
struct Recipe {
    name: &'static str,
    /// Arguments of unshare(1).
    unshare: &'static [&'static str],
    prepare: &'static str,
    arguments: &'static [&'static str],
    /// Path of the inner group in the document; `{}` is the path on the host.
    path: &'static str,
}

const RECIPES: &[Recipe] = &[
    Recipe {
        name: "the host's namespaces",
        unshare: &["-m"],
        prepare: "",
        arguments: &[],
        path: "{}",
    },
    Recipe {
        name: "own cgroup namespace, the host's tree",
        unshare: &["-C"],
        prepare: "",
        arguments: &[],
        path: "{}",
    },
    Recipe {
        name: "own cgroup namespace, and out of its root since",
        unshare: &["-C"],
        prepare: "echo $$ >\"$group/../beside/cgroup.procs\"",
        arguments: &[],
        path: "{}",
    },
    Recipe {
        name: "own cgroup and pid namespace, --root",
        unshare: &["-C", "-m", "-p", "-f"],
        prepare: "mkdir -p \"$host/proc\" \"$host/sys/fs/cgroup\" && mount --rbind /proc \"$host/proc\" && \
                  mount --rbind /sys/fs/cgroup \"$host/sys/fs/cgroup\" && mount -t proc proc /proc",
        arguments: &["--root", "$host"],
        path: "{}",
    },
    Recipe {
        name: "own pid namespace, --root",
        unshare: &["-m", "-p", "-f"],
        prepare: "mkdir -p \"$host/proc\" \"$host/sys/fs/cgroup\" && mount --rbind /proc \"$host/proc\" && \
                  mount --rbind /sys/fs/cgroup \"$host/sys/fs/cgroup\" && mount -t proc proc /proc",
        arguments: &["--root", "$host"],
        path: "{}",
    },
    Recipe {
        name: "own cgroup namespace, its own mount of the tree",
        unshare: &["-C", "-m"],
        prepare: "umount \"$memory\" && mount -t \"$kind\" -o \"$option\" cgroup \"$memory\"",
        arguments: &[],
        path: "/",
    },
    Recipe {
        name: "the part of the container bind mounted, the host's cgroup namespace",
        unshare: &["-m"],
        prepare: "mount --bind \"$group\" \"$memory\"",
        arguments: &[],
        path: "{}",
    },
    Recipe {
        name: "the part of the container bind mounted, its own cgroup namespace",
        unshare: &["-C", "-m"],
        prepare: "mount --bind \"$group\" \"$memory\"",
        arguments: &[],
        path: "/",
    },
    Recipe {
        name: "a group around the container bind mounted",
        unshare: &["-C", "-m"],
        prepare: "mount --bind \"$group/..\" \"$memory\"",
        arguments: &[],
        path: "/in",
    },
    Recipe {
        name: "the processes of elsewhere",
        unshare: &["-C", "-m"],
        prepare: "mkdir -p \"$host/proc\" && mount --bind /proc \"$host/proc\"",
        arguments: &["--proc", "$host/proc"],
        path: "{}",
    },
];

#[test]
fn every_recipe_sees_who_is_in_the_group() {
    let Some(outer) = Memcg::create("recipes") else {
        return;
    };
    let inner = outer.child("in");
    let _beside = outer.child("beside");
    inner.limit(100 * MIB);
    let hog = Hog::start("in-container").in_group(&inner).grow(40);
    // Makes the root of the namespace one that holds a process whoever moves.
    let _second = Hog::start("in-container-2").in_group(&inner).grow(1);
    for recipe in RECIPES {
        let Some(document) = run(recipe, &inner) else {
            continue;
        };
        let path = recipe.path.replace("{}", inner.path());
        let domains = document["domains"].as_array().expect("domains");
        let domain = domains.iter().find(|domain| domain["cgroup"] == *path);
        let Some(domain) = domain else {
            panic!("{}: no domain {path} in {domains:#?}", recipe.name);
        };
        assert_eq!(domain["limit"], 100 * MIB, "{}", recipe.name);
        let members = domain["members"].as_u64();
        assert!(members >= Some(2), "{}: {members:?}", recipe.name);
        let pid = hog.pid();
        assert_eq!(domain["next_victim"]["pid"], pid, "{}", recipe.name);
        let processes = document["processes"].as_array().expect("processes");
        let row = processes.iter().find(|row| row["pid"] == pid);
        assert_eq!(row.expect("the hog")["cgroup"], *path, "{}", recipe.name);
    }
}

/// The document that oomtop prints in the container; `None` if this machine does not allow such a container.
fn run(recipe: &Recipe, inner: &Memcg) -> Option<Value> {
    let (memory, version) = memcg::mount().expect("a memory hierarchy");
    let host = tempfile::tempdir().expect("a directory");
    let (kind, option) = match version {
        Version::V1 => ("cgroup", "memory"),
        Version::V2 => ("cgroup2", "rw"),
    };
    // No subshell: the shell that moves is the one that becomes oomtop.
    let script = format!(
        "{{ {}; }} || exit 77\nexec \"$oomtop\" --once --json \"$@\"",
        if recipe.prepare.is_empty() {
            ":"
        } else {
            recipe.prepare
        }
    );
    let arguments = recipe
        .arguments
        .iter()
        .map(|argument| argument.replace("$host", &host.path().display().to_string()));
    let output = Command::new("sh")
        .args([
            "-c",
            "echo $$ >\"$group/cgroup.procs\" && exec unshare \"$@\"",
            "sh",
        ])
        .args(recipe.unshare)
        .args(["sh", "-c", &script, "sh"])
        .args(arguments)
        .env("oomtop", env!("CARGO_BIN_EXE_oomtop"))
        .env("group", inner.dir())
        .env("memory", memory)
        .env("kind", kind)
        .env("option", option)
        .env("host", host.path())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            crate::common::skipped(recipe.name, &format!("unshare cannot be started: {error}"));
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(77) || said.contains("unshare failed") {
        crate::common::skipped(recipe.name, said.trim());
        return None;
    }
    assert!(output.status.success(), "{}: {said}", recipe.name);
    Some(serde_json::from_slice(&output.stdout).expect("a document"))
}

#[test]
fn a_group_is_known_by_all_its_bytes() {
    let Some(outer) = Memcg::create("names") else {
        return;
    };
    let names: [&[u8]; 4] = [b"web", b"web (deleted)", b"\xff\xfe", b"\xff\xfd"];
    let mut hogs = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let dir = outer.dir().join(OsStr::from_bytes(name));
        std::fs::create_dir(&dir).expect("a group");
        let limit = match outer.version() {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => {
                std::fs::write(outer.dir().join("cgroup.subtree_control"), "+memory").ok();
                "memory.max"
            }
        };
        let bytes = (at as u64 + 1) * 50 * MIB;
        std::fs::write(dir.join(limit), bytes.to_string()).expect("a limit");
        let hog = Hog::start(&format!("named-{at}"));
        std::fs::write(dir.join("cgroup.procs"), hog.pid().to_string()).expect("it moves");
        hogs.push((hog, bytes));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .args(["--once", "--json"])
        .output()
        .expect("oomtop");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let domains = document["domains"].as_array().expect("domains");
    for (hog, bytes) in &hogs {
        let of_hog = |domain: &&Value| {
            domain["next_victim"]["pid"] == hog.pid() && !domain["cgroup"].is_null()
        };
        let limits: Vec<_> = domains.iter().filter(of_hog).collect();
        assert!(
            limits
                .iter()
                .any(|domain| domain["limit"] == *bytes && domain["members"] == 1),
            "{}: {limits:#?}",
            hog.name()
        );
    }
}
