//! The path patterns of the runtimes, one row each.

use super::{
    LONGEST, description, label, nearest_owner, owner, short_id, unit_of, user_manager_of,
};

const ID: &str = "4f5e6d7c8b9a01234f5e6d7c8b9a01234f5e6d7c8b9a01234f5e6d7c8b9a0123";
const UID: &str = "1a2b3c4d-0001-4002-8003-0123456789ab";
const UID_: &str = "1a2b3c4d_0001_4002_8003_0123456789ab";

/// Paths with `ID`, `UID` and `UID_` as placeholders, and the expected labels.
const PATHS: &[(&str, &str)] = &[
    ("/docker/ID", "docker 4f5e6d7c8b9a"),
    ("/system.slice/docker-ID.scope", "docker 4f5e6d7c8b9a"),
    ("/docker/buildkit/ID", "buildkit 4f5e6d7c8b9a"),
    (
        "/docker/buildkit/k4n1yhbgxtrb0jsd2v9wq8m3z",
        "buildkit k4n1yhbgxtrb",
    ),
    (
        "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope",
        "docker 4f5e6d7c8b9a",
    ),
    ("/machine.slice/libpod-ID.scope", "podman 4f5e6d7c8b9a"),
    (
        "/machine.slice/libpod-ID.scope/container",
        "podman 4f5e6d7c8b9a",
    ),
    ("/libpod_parent/libpod-ID", "podman 4f5e6d7c8b9a"),
    (
        "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container",
        "podman 4f5e6d7c8b9a",
    ),
    ("/kubepods", "all pods"),
    ("/kubepods.slice", "all pods"),
    ("/kubepods/burstable", "burstable pods"),
    (
        "/kubepods.slice/kubepods-besteffort.slice",
        "besteffort pods",
    ),
    ("/kubepods/podUID", "pod 1a2b3c4d"),
    ("/kubepods/besteffort/podUID", "pod 1a2b3c4d"),
    (
        "/kubepods/burstable/podUID/ID",
        "container 4f5e6d7c8b9a in pod 1a2b3c4d",
    ),
    ("/kubepods.slice/kubepods-podUID_.slice", "pod 1a2b3c4d"),
    (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice/cri-containerd-ID.scope",
        "containerd 4f5e6d7c8b9a in pod 1a2b3c4d",
    ),
    (
        "/kubepods.slice/kubepods-podUID_.slice/crio-ID.scope",
        "cri-o 4f5e6d7c8b9a in pod 1a2b3c4d",
    ),
    (
        "/kubepods.slice/kubepods-podUID_.slice/docker-ID.scope",
        "docker 4f5e6d7c8b9a in pod 1a2b3c4d",
    ),
    (
        "/system.slice/containerd.service/kubepods-burstable-podUID_.slice:cri-containerd:ID",
        "containerd 4f5e6d7c8b9a in pod 1a2b3c4d",
    ),
    (
        "/kubepods/pod0123456789abcdef0123456789abcdef/ID",
        "container 4f5e6d7c8b9a in pod 01234567",
    ),
    ("/system.slice/crio-conmon-ID.scope", "conmon 4f5e6d7c8b9a"),
    (
        "/machine.slice/libpod-conmon-ID.scope",
        "conmon 4f5e6d7c8b9a",
    ),
    ("/system.slice/docker.service", "docker.service"),
    ("/system.slice/kubelet.service", "kubelet.service"),
    ("/system.slice/nerdctl-ID.scope", "nerdctl 4f5e6d7c8b9a"),
    ("/default/ID", "containerd 4f5e6d7c8b9a"),
    ("/lxc/web", "lxc web"),
    ("/lxc/104", "lxc 104"),
    ("/lxc/104/docker/ID", "docker 4f5e6d7c8b9a"),
    ("/lxc.payload.web-1", "lxc web-1"),
    (
        "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope",
        "machine qemu-1-web",
    ),
    ("/ecs/0123/ID", "ecs 4f5e6d7c8b9a"),
    ("/system.slice/mysql.service", "mysql.service"),
    (
        "/system.slice/system-getty.slice/getty@tty1.service",
        "getty@tty1.service",
    ),
    ("/system.slice/srv-data\\x2dold.mount", "srv-data-old.mount"),
    (
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.service",
        "app-firefox.service",
    ),
    ("/init.scope", "init.scope"),
    // Not a container, although the name starts with docker.
    ("/system.slice/docker-compose.scope", "docker-compose.scope"),
];

fn filled(path: &str) -> String {
    path.replace("UID_", UID_)
        .replace("UID", UID)
        .replace("ID", ID)
}

#[test]
fn paths_of_every_runtime() {
    for (path, wanted) in PATHS {
        let path = filled(path);
        assert_eq!(label(&path).as_deref(), Some(*wanted), "{path}");
        assert!(description(&path).is_some());
    }
}

#[test]
fn only_ids_are_shortened() {
    for (name, wanted) in [
        (ID, "4f5e6d7c8b9a"),
        ("0123456789abcdef0123456789abcdef", "0123456789ab"),
        ("4f5e6d7c8b9a0123", "4f5e6d7c8b9a"),
        ("4f5e6d7c8b9a", "4f5e6d7c8b9a"),
        ("k4n1yhbgxtrb0jsd2v9wq8m3z", "k4n1yhbgxtrb"),
        ("202411271530450001", "202411271530450001"),
        ("ordersandinvoicesofthenig", "ordersandinvoicesofthenig"),
        ("OrdersAndInvoicesOfNight1", "OrdersAndInvoicesOfNight1"),
        ("mysql.service", "mysql.service"),
        (UID, UID),
        ("", ""),
    ] {
        assert_eq!(short_id(name), wanted);
    }
}

#[test]
fn paths_that_say_nothing() {
    for path in [
        "/",
        "",
        "/web",
        "/docker",
        "/a/b/c",
        "/lxc/a/b",
        "//",
        "/..",
        "/docker/web",
    ] {
        assert_eq!(owner(path), None, "{path}");
    }
}

#[test]
fn a_group_inside_belongs_to_what_is_around_it() {
    let noun = |path: &str| nearest_owner(&filled(path)).map(|owner| owner.kind.noun());
    assert_eq!(
        noun("/system.slice/docker-ID.scope/init/x"),
        Some("container")
    );
    assert_eq!(noun("/system.slice/a.service/worker"), Some("unit"));
    assert_eq!(noun("/web/a"), None);
    assert_eq!(noun(""), None);
}

#[test]
fn the_unit_is_the_innermost_one_of_the_host() {
    assert_eq!(unit_of("/system.slice/a.service/sub"), Some("a.service"));
    assert_eq!(
        unit_of("/system.slice/docker-4f5e.scope"),
        Some("docker-4f5e.scope")
    );
    assert_eq!(unit_of("/system.slice/srv.mount"), Some("srv.mount"));
    assert_eq!(unit_of("/docker/4f5e"), None);
    assert_eq!(unit_of("/docker/4f5e/system.slice/nginx.service"), None);
    assert_eq!(
        unit_of("/system.slice/docker-4f5e.scope/system.slice/nginx.service"),
        Some("docker-4f5e.scope")
    );
    assert_eq!(
        unit_of("/user.slice/user-1.slice/user@1.service/app.slice/a.service"),
        Some("a.service")
    );
    assert_eq!(unit_of("/user.slice/user-1.slice"), Some("user-1.slice"));
}

#[test]
fn details_have_whole_ids_and_the_class() {
    let path = filled(
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice/crio-ID.scope",
    );
    assert_eq!(
        description(&path),
        Some(format!(
            "cri-o container {ID} of Kubernetes pod {UID}, burstable"
        ))
    );
    let guaranteed = filled("/kubepods/podUID");
    assert_eq!(
        description(&guaranteed),
        Some(format!("Kubernetes pod {UID}, guaranteed"))
    );
}

#[test]
fn an_escaped_control_character_stays_escaped() {
    assert_eq!(
        label("/machine.slice/machine-a\\x1b\\x5bx\\xc3\\x2d\\x.scope").as_deref(),
        Some("machine a\\x1b[x\\xc3-\\x")
    );
}

/// Pieces of the patterns, in any order.
const PIECE: &str = "/|docker|-|\\.scope|kubepods|pod|libpod-|:|\\\\x|2d|[a-f0-9]{12}|[a-f0-9]{36}|é|\u{1b}|lxc|container|\\.slice|machine-|.{0,9}";

proptest::proptest! {
    #[test]
    fn no_path_breaks_it(parts in proptest::collection::vec(PIECE, 0..40)) {
        let path = parts.concat();
        for text in [label(&path), description(&path)].into_iter().flatten() {
            proptest::prop_assert!(text.len() <= LONGEST);
            // The result has no control character that is not in the path (the screen replaces those).
            let made = text.chars().filter(|c| c.is_control() && !path.contains(*c)).count();
            proptest::prop_assert_eq!(made, 0);
        }
    }
}

#[test]
fn a_user_manager_has_the_units_below_it_and_not_its_own() {
    let user = "/user.slice/user-1000.slice/user@1000.service";
    assert_eq!(
        user_manager_of(user),
        None,
        "the system's manager starts it"
    );
    for below in [
        "app.slice",
        "app.slice/app-firefox.service",
        "init.scope/a/b",
    ] {
        assert_eq!(user_manager_of(&format!("{user}/{below}")), Some(1000));
    }
    for other in ["/system.slice/web.service", "/docker/4f5e", "/", ""] {
        assert_eq!(user_manager_of(other), None, "{other:?}");
    }
}
