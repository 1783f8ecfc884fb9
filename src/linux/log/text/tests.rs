//! What every kind of file gives, whole and cut.

#![allow(clippy::format_collect, reason = "short logs, made for a test")]

use std::io::{self, Read, Write};

use super::{Kind, text_of};

fn log() -> String {
    (0..2000)
        .map(|at| {
            format!(
                "[{at:5}.000000] line {at} of a log, caf\u{e9} \u{1f980} {}\n",
                at * 7919
            )
        })
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

fn xz(text: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(6);
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    mark.into_iter()
        .chain(text.encode_utf16())
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

/// What can be read, and how it ended.
fn read(bytes: Vec<u8>) -> (Vec<u8>, io::Result<()>) {
    let mut text = match text_of(Box::new(io::Cursor::new(bytes)), 0) {
        Ok(text) => text,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut found = Vec::new();
    let ended = text.read_to_end(&mut found).map(|_| ());
    (found, ended)
}

#[test]
fn every_packing_gives_the_same_text() {
    let log = log();
    let text = log.as_bytes();
    let twice = [gzip(text), gzip(text)].concat();
    let padded = [gzip(text), vec![0; 10_000], gzip(text), vec![0; 512]].concat();
    let frames = [
        zstd(text),
        vec![0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9],
        zstd(text),
    ]
    .concat();
    for (name, packed, times) in [
        ("text", text.to_vec(), 1),
        ("gzip", gzip(text), 1),
        ("two gzip members", twice, 2),
        ("gzip members with zeros behind them", padded, 2),
        ("zstd", zstd(text), 1),
        ("zstd frames", frames, 2),
        ("xz", xz(text), 1),
        ("bzip2", bzip2(text), 1),
        ("gzip of zstd", gzip(&zstd(text)), 1),
        ("UTF-16 LE", utf16(&log, true, true), 1),
        ("UTF-16 BE", utf16(&log, false, true), 1),
        ("UTF-16 LE, no mark", utf16(&log, true, false), 1),
        ("UTF-16 BE, no mark", utf16(&log, false, false), 1),
        ("gzip of UTF-16", gzip(&utf16(&log, true, true)), 1),
        ("UTF-8 with mark", [b"\xef\xbb\xbf", text].concat(), 1),
        ("nothing", Vec::new(), 0),
    ] {
        let (found, ended) = read(packed);
        assert!(ended.is_ok(), "{name}: {ended:?}");
        assert!(found == text.repeat(times), "{name}: {} bytes", found.len());
    }
}

#[test]
fn a_cut_archive_gives_what_is_there_and_says_so() {
    // Several blocks of zstd (128 KiB) and bzip2 (100 kB at its fastest).
    let log = log().repeat(5);
    let text = log.as_bytes();
    for (name, packed) in [
        ("gzip", gzip(text)),
        ("zstd", zstd(text)),
        ("xz", xz(text)),
        ("bzip2", bzip2(text)),
    ] {
        for end in [
            packed.len() - 1,
            packed.len() * 3 / 4,
            packed.len() / 2,
            20,
            12,
        ] {
            let (found, ended) = read(packed[..end].to_vec());
            assert!(text.starts_with(&found), "{name} cut at {end}");
            let error = ended.expect_err("the cut must be told");
            assert!(error.to_string().contains(name), "{name}: {error}");
            if end * 2 >= packed.len() {
                assert!(
                    !found.is_empty() || name == "xz",
                    "{name} cut at {end}: nothing of {}",
                    text.len()
                );
            }
        }
    }
    let short = super::tests::log();
    let packed = zstd(short.as_bytes());
    let (found, _) = read(packed[..packed.len() - 1].to_vec());
    assert!(short.as_bytes().starts_with(&found));
}

#[test]
fn a_bomb_is_stopped() {
    let zeros = vec![0; 1 << 20];
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        packer.write_all(&zeros).unwrap();
    }
    let inner = packer.finish().unwrap();
    // Packed once more it grows 1000 times 1000 fold.
    let mut outer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..1 {
        outer.write_all(&inner).unwrap();
    }
    let deep = (0..4).fold(outer.finish().unwrap(), |packed, _| gzip(&packed));
    let mut text = match text_of(Box::new(io::Cursor::new(deep)), 0) {
        Ok(text) => text,
        Err(error) => {
            assert!(error.to_string().contains("packed more than"), "{error}");
            return;
        }
    };
    let copied = io::copy(&mut text, &mut io::sink());
    assert!(copied.is_err(), "{copied:?}");
}

#[test]
fn what_is_no_text_says_what_it_is() {
    for (bytes, word) in [
        (&b"LPKSHHRH\0\0\0\0"[..], "journalctl"),
        (b"PK\x03\x04....", "zip"),
        (b"\x04\x22\x4d\x18....", "lz4"),
    ] {
        let Kind::Other(what) = Kind::of(bytes) else {
            panic!("{word}");
        };
        assert!(what.contains(word), "{what}");
        assert!(read(bytes.to_vec()).1.is_err());
    }
    for text in [
        "",
        "a",
        "\0\0\0\0",
        "x\0y",
        "12:00 caf\u{e9}",
        "[    1.0] \u{65e5}\u{672c}",
    ] {
        assert_eq!(Kind::of(text.as_bytes()), Kind::Text, "{text:?}");
    }
}

#[test]
fn utf_32_is_refused_with_what_to_do_about_it() {
    let units = |mark: bool, order: fn(u32) -> [u8; 4]| -> Vec<u8> {
        let mark = mark.then_some('\u{feff}');
        let text = mark.into_iter().chain("Out of memory: a log".chars());
        text.flat_map(|letter| order(u32::from(letter))).collect()
    };
    for (mark, order) in [
        (true, u32::to_le_bytes as fn(u32) -> [u8; 4]),
        (true, u32::to_be_bytes),
        (false, u32::to_le_bytes),
        (false, u32::to_be_bytes),
    ] {
        let (found, ended) = read(units(mark, order));
        let error = ended.expect_err("it is no text that is read");
        assert!(error.to_string().contains("iconv -f UTF-32"), "{error}");
        assert!(found.is_empty());
    }
}
