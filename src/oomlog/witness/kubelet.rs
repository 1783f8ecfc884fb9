//! kubelet's lines about an eviction (pkg/kubelet/eviction/eviction_manager.go).

use super::{Fact, Says, Source};
use crate::oomlog::userspace::evicted;

/// The eviction that a line tells of, whatever the node was short of.
pub(super) fn eviction(text: &str, at: i64) -> Option<Fact> {
    Some(Fact {
        unit: Some(evicted(text)?),
        ..Fact::new(at, Source::Kubelet, text, Says::Evicted)
    })
}

#[cfg(test)]
mod tests {
    use super::eviction;

    #[test]
    fn both_wordings_name_the_pod() {
        for line in [
            r#"I0612 10:12:13.1 1234 eviction_manager.go:614] "Eviction manager: pod is evicted successfully" pod="shop/web-0""#,
            "I0612 10:12:13.1 1234 eviction_manager.go:574] eviction manager: pod web-0_shop(0a1b-2c) is evicted successfully",
        ] {
            let fact = eviction(line, 5).expect("an eviction");
            assert_eq!(fact.unit.as_deref(), Some("shop/web-0"), "{line}");
        }
        assert_eq!(
            eviction("\"Eviction manager: attempting to reclaim\"", 5),
            None
        );
    }
}
