//! Names that are cut stay different from each other.

use super::{Apart, Keeps, last};
use crate::text::cells::{cells, middle};

fn shown(names: &[&str], room: usize) -> Vec<String> {
    let owned = names.iter().map(|name| (*name).to_owned());
    let apart = Apart::new(owned, Keeps::Ends, room, false);
    names
        .iter()
        .map(|name| apart.cut(name, room, false))
        .collect()
}

#[test]
fn siblings_that_differ_in_the_middle_alone_are_told_apart() {
    let names = [
        "/kube/tenant-blue/namespace/orders/worker.service",
        "/kube/tenant-green/namespace/orders/worker.service",
        "/kube/tenant-red/namespace/orders/worker.service",
    ];
    assert_eq!(middle(names[0], 24, false), middle(names[1], 24, false));
    assert_eq!(
        shown(&names, 24),
        [
            "…tenant-blue/na….service",
            "…tenant-green/n….service",
            "…tenant-red/nam….service"
        ]
    );
    // What differs at an end or fits is shown as ever.
    let ends = ["shop/orders-worker-a", "shop/orders-worker-b"];
    assert_eq!(shown(&ends, 12), ["sho…worker-a", "sho…worker-b"]);
    assert_eq!(shown(&names, 60), names);
}

#[test]
fn the_last_levels_stay_and_where_they_are_alike_what_differs() {
    assert_eq!(last("shop/orders", 11, false), "shop/orders");
    assert_eq!(last("shops/a/orders", 10, false), "…/a/orders");
    assert_eq!(last("shops/orders", 7, false), "…orders");
    assert_eq!(last("日本語", 4, false), "…語");
    assert_eq!(last("x", 0, false), "…");
    let names = ["/blue/shops/orders/main", "/green/shops/orders/main"];
    let owned = names.iter().map(|name| (*name).to_owned());
    let apart = Apart::new(owned, Keeps::Last, 16, false);
    let of = |name| apart.cut(name, 16, false);
    assert_eq!(
        (of(names[0]).as_str(), of(names[1]).as_str()),
        ("…blue/shop…/main", "…green/sho…/main")
    );
}

proptest::proptest! {
    #[test]
    fn what_is_cut_fits_and_different_names_look_different(
        middles in proptest::collection::btree_set("[a-c]{1,6}", 2..8), room in 16_usize..40,
    ) {
        let names: Vec<String> = middles
            .iter()
            .map(|own| format!("/a/long/common/beginning/{own}/and/a/long/common/ending/of/it"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let cut = shown(&names, room);
        for text in &cut {
            proptest::prop_assert!(cells(text, false) <= room, "{text}");
        }
        let different: std::collections::BTreeSet<_> = cut.iter().collect();
        proptest::prop_assert_eq!(different.len(), names.len(), "{:?}", cut);
    }
}
