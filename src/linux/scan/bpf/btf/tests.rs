//! A hand-made blob, and damaged blobs.

use super::{Argument, Btf, BtfError, Member, kind};

/// Builds a blob: a header, a type section and a string section.
#[derive(Default)]
struct Maker {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Maker {
    fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
        }
    }

    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).expect("small");
        self.strings.extend(name.as_bytes());
        self.strings.push(0);
        at
    }

    fn words(&mut self, words: &[u32]) {
        self.types
            .extend(words.iter().flat_map(|w| w.to_ne_bytes()));
    }

    fn head(&mut self, name: &str, kind: u32, count: u32, last: u32) {
        let name = self.name(name);
        self.words(&[name, kind << 24 | count, last]);
    }

    fn int(&mut self, name: &str, size: u32) {
        self.head(name, kind::INT, 0, size);
        self.words(&[size * 8]);
    }

    fn structure(&mut self, name: &str, size: u32, members: &[(&str, u32, u32)]) {
        let count = u32::try_from(members.len()).expect("small");
        self.head(name, kind::STRUCT, count, size);
        for (name, of, byte) in members {
            let name = self.name(name);
            self.words(&[name, *of, byte * 8]);
        }
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        blob.extend(0xeb9f_u16.to_ne_bytes());
        blob.extend([1, 0]);
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("small");
        let (types, strings) = (len(&self.types), len(&self.strings));
        for word in [24, 0, types, types, strings] {
            blob.extend(word.to_ne_bytes());
        }
        blob.extend(&self.types);
        blob.extend(&self.strings);
        blob
    }
}

/// Types by number: 1 int, 2 task, 3 an unnamed structure, 4 a pointer, 5 a typedef, 6 an array,
/// 7 an enumeration, 8 a function's prototype, 9 a function, 10 a counter, 11 flags with bit fields.
fn sample() -> Vec<u8> {
    let mut maker = Maker::new();
    maker.int("int", 4);
    maker.structure(
        "task",
        64,
        &[
            ("pid", 5, 4),
            ("", 3, 16),
            ("parent", 4, 40),
            ("count", 10, 48),
        ],
    );
    maker.structure("", 20, &[("inside", 1, 8), ("name", 6, 12)]);
    maker.head("", kind::PTR, 0, 2);
    maker.head("pid_t", kind::TYPEDEF, 0, 1);
    maker.head("", kind::ARRAY, 0, 0);
    maker.words(&[1, 1, 2]);
    maker.head("which", kind::ENUM, 2, 4);
    for (name, value) in [("first", 0), ("second", 7)] {
        let name = maker.name(name);
        maker.words(&[name, value]);
    }
    maker.head("", kind::FUNC_PROTO, 1, 1);
    maker.words(&[0, 1]);
    maker.head("walk", kind::FUNC, 0, 8);
    maker.structure("counter", 8, &[("value", 1, 4)]);
    let name = maker.name("flags");
    maker.words(&[name, 1 << 31 | kind::STRUCT << 24 | 2, 8]);
    let (low, high) = (maker.name("low"), maker.name("high"));
    maker.words(&[low, 1, 3 << 24, high, 1, 32]);
    maker.blob()
}

const NAMES: &[&str] = &[
    "task", "pid", "inside", "name", "parent", "count", "value", "which", "second", "walk",
    "counter", "flags", "low", "high",
];

/// Types by number: 1 int, 2 task, 3 a pointer to it, 4 a pointer to void, 5 a prototype, 6 a pointer to that, 7 its
/// name as a tracepoint, 8 a typedef that is none.
fn tracepoints() -> Vec<u8> {
    let mut maker = Maker::new();
    maker.int("int", 4);
    maker.structure("task", 8, &[("pid", 1, 0)]);
    maker.head("", kind::PTR, 0, 2);
    maker.head("", kind::PTR, 0, 0);
    maker.head("", kind::FUNC_PROTO, 4, 0);
    maker.words(&[0, 4, 0, 1, 0, 3, 0, 4]);
    maker.head("", kind::PTR, 0, 5);
    maker.head("btf_trace_one", kind::TYPEDEF, 0, 6);
    maker.head("btf_trace_two", kind::TYPEDEF, 0, 1);
    maker.blob()
}

#[test]
fn a_tracepoint_has_the_arguments_behind_the_first() {
    let blob = tracepoints();
    let names = ["btf_trace_one", "btf_trace_two", "task"];
    let mut btf = Btf::read(&blob[..], &names).expect("types");
    assert_eq!(
        btf.arguments("btf_trace_one").expect("arguments"),
        [
            Argument::Number,
            Argument::Pointer(Some("task")),
            Argument::Pointer(None),
        ]
    );
    for (name, lacks) in [
        ("btf_trace_two", "btf_trace_two of the shape known here"),
        ("btf_trace_three", "btf_trace_three"),
    ] {
        let error = btf.arguments(name).expect_err("no tracepoint");
        assert_eq!(error.to_string(), format!("this kernel has no {lacks}"));
    }
    // A structure that nobody asked for has no name.
    let mut btf = Btf::read(&blob[..], &names[..1]).expect("types");
    let arguments = btf.arguments("btf_trace_one").expect("arguments");
    assert_eq!(arguments.get(1), Some(&Argument::Pointer(None)));
    // However it is damaged, it is an error or another list, and no panic.
    for at in 0..blob.len() {
        let mut damaged = blob.clone();
        damaged[at] ^= 0xff;
        if let Ok(mut btf) = Btf::read(&damaged[..], &names) {
            let _ = btf.arguments("btf_trace_one");
        }
    }
}

#[test]
fn members_by_name_through_unnamed_and_nested_structures() {
    let blob = sample();
    let mut btf = Btf::read(blob.as_slice(), NAMES).expect("read");
    let at = |offset, size| Member { offset, size };
    assert_eq!(btf.member("task", &["pid"]).expect("pid"), at(4, 4));
    assert_eq!(btf.member("task", &["inside"]).expect("inside"), at(24, 4));
    assert_eq!(btf.member("task", &["name"]).expect("an array"), at(28, 8));
    assert_eq!(
        btf.member("task", &["parent"]).expect("a pointer"),
        at(40, 8)
    );
    assert_eq!(
        btf.member("task", &["count", "value"]).expect("nested"),
        at(52, 4)
    );
    assert_eq!(btf.struct_size("counter").expect("size"), 8);
    assert_eq!(btf.function("walk").expect("a function"), 9);
    assert_eq!(btf.constant("which", "second").expect("a constant"), 7);
}

#[test]
fn what_is_not_there_is_named_and_bit_fields_are_not_read() {
    let blob = sample();
    let mut btf = Btf::read(blob.as_slice(), NAMES).expect("read");
    let missing = btf.member("task", &["count", "pid"]).expect_err("none");
    assert_eq!(missing.to_string(), "this kernel has no task.count.pid");
    assert!(matches!(btf.function("task"), Err(BtfError::Missing(_))));
    assert!(btf.member("flags", &["low"]).is_err(), "three bits");
    assert_eq!(btf.member("flags", &["high"]).expect("whole").offset, 4);
}

#[test]
fn other_files_are_refused() {
    for blob in [
        &b""[..],
        b"\x7fELF and so on, long enough for a header",
        &sample()[..60],
    ] {
        assert!(Btf::read(blob, NAMES).is_err());
    }
}

#[test]
fn names_are_found_across_windows() {
    let mut maker = Maker::new();
    for at in 0..40_000 {
        maker.name(&format!("filler{at}"));
    }
    maker.structure("task", 8, &[("pid", 2, 4)]);
    maker.int("int", 4);
    let blob = maker.blob();
    let mut btf = Btf::read(blob.as_slice(), NAMES).expect("read");
    assert_eq!(btf.member("task", &["pid"]).expect("pid").offset, 4);
}

proptest::proptest! {
    #[test]
    fn damaged_blobs_never_panic(
        cut in 0_usize..700,
        changes in proptest::collection::vec((0_usize..700, proptest::num::u8::ANY), 0..12),
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..64),
    ) {
        let mut blob = sample();
        for (at, byte) in changes {
            if let Some(place) = blob.get_mut(at) {
                *place = byte;
            }
        }
        blob.truncate(blob.len().saturating_sub(cut / 4));
        blob.extend(&noise);
        for blob in [blob.as_slice(), noise.as_slice()] {
            if let Ok(mut btf) = Btf::read(blob, NAMES) {
                let _ = btf.member("task", &["inside"]);
                let _ = btf.member("task", &["count", "value"]);
                let _ = btf.member("flags", &["high"]);
                let _ = btf.struct_size("counter");
                let _ = btf.constant("which", "second");
            }
        }
    }
}
