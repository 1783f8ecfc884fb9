//! Key strings as people write them, `"/name<Enter>"`, to the bytes a terminal sends.

/// The bytes an xterm sends for `keys`: plain characters as they are, special keys in angle
/// brackets (`<Enter>`, `<F1>`, `<C-c>`, `<A-x>`, `<lt>` for `<`), mouse events as
/// `<Click:COL,ROW>`, `<WheelUp:COL,ROW>`, `<WheelDown:COL,ROW>` (cells from 0).
///
/// # Panics
/// On an unknown name: a test that types nothing could pass by mistake.
pub(crate) fn bytes(keys: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let end = rest
                .find('>')
                .unwrap_or_else(|| panic!("no '>' in keys {keys:?}"));
            out.extend(special(&rest[1..end]));
            rest = &rest[end + 1..];
        } else {
            let mut buf = [0; 4];
            out.extend(c.encode_utf8(&mut buf).as_bytes());
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn special(name: &str) -> Vec<u8> {
    let fixed: Option<&str> = match name {
        "Enter" => Some("\r"),
        "Esc" => Some("\x1b"),
        "Tab" => Some("\t"),
        "BackTab" => Some("\x1b[Z"),
        "Space" => Some(" "),
        "BS" => Some("\x7f"),
        "lt" => Some("<"),
        "Up" => Some("\x1b[A"),
        "Down" => Some("\x1b[B"),
        "Right" => Some("\x1b[C"),
        "Left" => Some("\x1b[D"),
        "Home" => Some("\x1b[H"),
        "End" => Some("\x1b[F"),
        "Del" => Some("\x1b[3~"),
        "PgUp" => Some("\x1b[5~"),
        "PgDn" => Some("\x1b[6~"),
        "F1" => Some("\x1bOP"),
        "F2" => Some("\x1bOQ"),
        "F3" => Some("\x1bOR"),
        "F4" => Some("\x1bOS"),
        "F5" => Some("\x1b[15~"),
        "F6" => Some("\x1b[17~"),
        "F7" => Some("\x1b[18~"),
        "F8" => Some("\x1b[19~"),
        "F9" => Some("\x1b[20~"),
        "F10" => Some("\x1b[21~"),
        _ => None,
    };
    if let Some(bytes) = fixed {
        return bytes.as_bytes().to_vec();
    }
    if let Some(key) = name.strip_prefix("C-") {
        return vec![key.as_bytes()[0] & 0x1f];
    }
    if let Some(key) = name.strip_prefix("A-") {
        return format!("\x1b{key}").into_bytes();
    }
    if let Some((what, cell)) = name.split_once(':') {
        return mouse(what, cell);
    }
    panic!("unknown key <{name}>");
}

/// SGR mouse reports (xterm mode 1006); a click is a press and a release.
fn mouse(what: &str, cell: &str) -> Vec<u8> {
    let (col, row) = cell.split_once(',').expect("a cell is COL,ROW");
    let (col, row): (u16, u16) = (col.parse().expect("column"), row.parse().expect("row"));
    let at = format!("{};{}", col + 1, row + 1);
    match what {
        "Click" => format!("\x1b[<0;{at}M\x1b[<0;{at}m"),
        "WheelUp" => format!("\x1b[<64;{at}M"),
        "WheelDown" => format!("\x1b[<65;{at}M"),
        _ => panic!("unknown mouse event {what:?}"),
    }
    .into_bytes()
}
