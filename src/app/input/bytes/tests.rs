//! Sequences of many terminals, split and joined.

use super::Decoder;
use crate::app::msg::Msg;
use crate::model::time::Monotonic;

/// What comes of these reads. Between them passes as much time as the decoder waits, but where the next begins
/// with `+`.
fn told(reads: &[&[u8]]) -> Vec<String> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    let mut now = Monotonic(0);
    for read in reads {
        now.0 += 60_000;
        let whole = read.strip_prefix(b"+");
        if whole.is_none() {
            settle(&mut decoder, &mut out);
        }
        decoder.feed(whole.unwrap_or(read), now, &mut out);
    }
    settle(&mut decoder, &mut out);
    out.iter().map(word).collect()
}

fn settle(decoder: &mut Decoder, out: &mut Vec<Msg>) {
    if decoder.patience().is_some() {
        decoder.quiet(out);
    }
}

fn word(msg: &Msg) -> String {
    match msg {
        Msg::Key(key) => key.to_string(),
        Msg::Paste(text) => format!("paste {text:?}"),
        Msg::Mouse(mouse) => format!("{:?} {},{}", mouse.action, mouse.x, mouse.y),
        other => format!("{other:?}"),
    }
}

#[test]
fn keys_and_reports_of_many_terminals() {
    let keys: &[(&[u8], &str)] = &[
        (b"a", "a"),
        (b"\r", "Enter"),
        (b"\x7f", "Backspace"),
        (b"\x03", "Ctrl-c"),
        (b"\x1b", "Esc"),
        (b"\x1bx", "Alt-x"),
        (b"\x1b\r", "Alt-Enter"),
        (b"\x1b[", "Alt-["),
        (b"\x1bO", "Alt-O"),
        (b"\x1b[A", "Up"),
        (b"\x1bOA", "Up"),
        (b"\x1b[1;5A", "Ctrl-Up"),
        (b"\x1b[1;2A", "Up"),
        (b"\x1b[Z", "BackTab"),
        (b"\x1b[3~", "Del"),
        (b"\x1b[1~", "Home"),
        (b"\x1b[15~", "F5"),
        (b"\x1b[20~", "F9"),
        (b"\x1b[24~", "F12"),
        (b"\x1bOP", "F1"),
        (b"\x1b[[E", "F5"),
        (b"\x1b[13u", "Enter"),
        (b"\x1b[97;5u", "Ctrl-a"),
        ("é".as_bytes(), "é"),
        ("日".as_bytes(), "日"),
        (b"\x1b[<0;3;4M", "Click 2,3"),
        (b"\x1b[<64;3;4M", "ScrollUp 2,3"),
        (b"\x1b[M !!", "Click 0,0"),
        (b"\x1b[32;3;4M", "Click 2,3"),
        (b"\x1b[200~k\r\x1b[201~", "paste \"k\\r\""),
    ];
    for (bytes, key) in keys {
        assert_eq!(told(&[bytes]), [*key], "{bytes:?}");
    }
}

#[test]
fn what_is_no_key_comes_out_as_none() {
    let silent: &[&[u8]] = &[
        b"\x1b[<35;3;4M",
        b"\x1b[<0;3;4m",
        b"\x1b[12;40R",
        b"\x1b[?1;2c",
        b"\x1b[I",
        b"\x1b]10;rgb:ffff/ffff/ffff\x07",
        b"\x1bP>|xterm(390)\x1b\\",
        b"\x1b[201~",
        b"\xff\xfe",
        b"\x1b[999~",
        b"\x1b[1;2",
    ];
    for bytes in silent {
        assert_eq!(told(&[bytes]), [""; 0], "{bytes:?}");
    }
}

#[test]
fn an_esc_in_front_leaves_the_sequence_whole() {
    assert_eq!(
        told(&[b"\x1b\x1b[200~k\rx\x1b[201~"]),
        ["Esc", "paste \"k\\rx\""]
    );
    assert_eq!(
        told(&[b"\x1b\x1b[B \r\r"]),
        ["Esc", "Down", "Space", "Enter", "Enter"]
    );
    assert_eq!(told(&[b"\x1b\x1b\x1bOB"]), ["Esc", "Esc", "Down"]);
    assert_eq!(told(&[b"\x1b[\x1b[B"]), ["Down"]);
}

#[test]
fn the_rest_of_a_sequence_may_come_late() {
    assert_eq!(told(&[b"\x1b", b"[B"]), ["Esc", "Down"]);
    assert_eq!(
        told(&[b"\x1b", b"[200~k\r", b"x\x1b[20", b"1~q"]).join(" "),
        "Esc paste \"k\\r\" paste \"x\" q"
    );
    assert_eq!(told(&[b"\x1b[2", b"+00~k\r\x1b[201~"]), ["paste \"k\\r\""]);
    // A person who types Esc and then the key `[`.
    assert_eq!(told(&[b"\x1b", b"[", b"5"]), ["Esc", "[", "5"]);
}

#[test]
fn a_paste_without_an_end_is_left_with_esc_or_ctrl_c() {
    assert_eq!(
        told(&[b"\x1b[200~a", b"k", b"\x1b", b"q"]),
        ["paste \"a\"", "paste \"k\"", "q"]
    );
    assert_eq!(told(&[b"\x1b[200~a", b"\x03"]), ["paste \"a\"", "Ctrl-c"]);
    // Two keys that came in one read.
    assert_eq!(told(&[b"\x1b\x03"]), ["Esc", "Ctrl-c"]);
    assert_eq!(told(&[b"\x1b\x1b\x1a"]), ["Esc", "Esc", "Ctrl-z"]);
}

proptest::proptest! {
    /// However a stream of whole sequences is split, the same comes out of it.
    #[test]
    fn splits_change_nothing(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "a", "\r", "\x1b[A", "\x1bOP", "\x1b[200~k\r\x1b\x1b[A\x1b[201~", "\x1b[<0;3;4M", "é日", "\x1b[1;5C", "\x1b\x1b[15~", "\x1b]0;x\x07",
        ]), 0..12),
        cuts in proptest::collection::vec(0_usize..200, 0..12),
    ) {
        let bytes = parts.concat().into_bytes();
        let mut whole = Vec::new();
        Decoder::default().feed(&bytes, Monotonic(0), &mut whole);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let (mut decoder, mut split) = (Decoder::default(), Vec::new());
        for pair in cuts.windows(2) {
            decoder.feed(&bytes[pair[0]..pair[1]], Monotonic(0), &mut split);
        }
        let words = |msgs: &[Msg]| msgs.iter().map(word).collect::<Vec<_>>();
        proptest::prop_assert_eq!(words(&whole), words(&split));
    }

    #[test]
    fn no_bytes_break_it_or_stay_in_it(reads in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(
        b"\x1b\x1b\x1b[[[O]~MAm0129;<:\r\x03k \xc3\xa9\xff".to_vec()), 0..12), 0..40)) {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for read in &reads {
            decoder.feed(read, Monotonic(0), &mut out);
        }
        for _ in 0..3 {
            settle(&mut decoder, &mut out);
        }
        // Ctrl-C alone is heard whatever came before.
        out.clear();
        decoder.feed(b"\x03", Monotonic(0), &mut out);
        proptest::prop_assert!(out.iter().any(|msg| word(msg) == "Ctrl-c"), "{reads:?}");
    }
}
