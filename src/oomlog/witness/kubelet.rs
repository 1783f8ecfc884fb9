//! kubelet's lines about an eviction (pkg/kubelet/eviction/eviction_manager.go).

use super::{Fact, Says, Source};

/// `… "Eviction manager: pod is evicted successfully" pod="NAMESPACE/NAME"`, before 1.20 `eviction manager: pod
/// NAME_NAMESPACE(UID) is evicted successfully`.
pub(super) fn eviction(text: &str, at: i64) -> Option<Fact> {
    let pod = structured(text).or_else(|| elder(text))?;
    Some(Fact {
        unit: Some(pod),
        ..Fact::new(at, Source::Kubelet, text, Says::Evicted)
    })
}

fn structured(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"Eviction manager: pod is evicted successfully\"")?;
    let (_, rest) = rest.split_once("pod=\"")?;
    Some(rest.split('"').next()?.to_owned())
}

fn elder(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("eviction manager: pod ")?;
    let (pod, _) = rest.split_once(" is evicted successfully")?;
    let (pod, _) = pod.split_once('(')?;
    let (name, namespace) = pod.rsplit_once('_')?;
    Some(format!("{namespace}/{name}"))
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
