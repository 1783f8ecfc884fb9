//! [`as_root`]: what to do where a right is missing. Who is root already has no use for "as root".

/// `remedy` for an ordinary user; for root, that this place has not all rights.
pub(crate) fn as_root(remedy: &'static str) -> &'static str {
    for_user(rustix::process::geteuid().is_root(), remedy)
}

fn for_user(is_root: bool, remedy: &'static str) -> &'static str {
    if is_root {
        "oomtop runs as root, but not with all rights here (a container, a user namespace?): run it on the host"
    } else {
        remedy
    }
}

#[cfg(test)]
mod tests {
    use super::for_user;

    #[test]
    fn root_is_not_told_to_be_root() {
        assert_eq!(for_user(false, "run oomtop as root"), "run oomtop as root");
        assert!(!for_user(true, "run oomtop as root").contains("run oomtop as root"));
    }
}
