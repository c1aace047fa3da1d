//! Bytes from outside as text: UTF-8 or UTF-16 by their mark, else UTF-8, else GB18030 (of which GBK is a part).

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8};

/// The marks that say how a text is encoded: UTF-8, UTF-16LE, UTF-16BE.
pub fn marked(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(bytes)
}

/// GB18030, every byte of it; `None` where some make no sense.
pub fn gb18030(bytes: &[u8]) -> Option<Cow<'_, str>> {
    GB18030.decode_without_bom_handling_and_without_replacement(bytes)
}

/// Bytes as text, without their mark.
///
/// # Errors
/// The first line, from 1, that is none of the encodings.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, u64> {
    let (encoding, mark) = marked(bytes).unwrap_or((UTF_8, 0));
    let body = &bytes[mark..];
    if encoding != UTF_8 {
        return encoding.decode_without_bom_handling_and_without_replacement(body).ok_or(1);
    }
    match std::str::from_utf8(body) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        // what says that it is UTF-8 is held to it
        Err(e) if mark > 0 => Err(line_of(body, e.valid_up_to())),
        Err(e) => gb18030(body).ok_or_else(|| line_of(body, e.valid_up_to())),
    }
}

/// Bytes as text, without their mark; what cannot be read becomes U+FFFD.
pub fn decode_lossy(bytes: &[u8]) -> Cow<'_, str> {
    decode(bytes).unwrap_or_else(|_| {
        let (encoding, mark) = marked(bytes).unwrap_or((UTF_8, 0));
        encoding.decode_without_bom_handling(&bytes[mark..]).0
    })
}

fn line_of(bytes: &[u8], at: usize) -> u64 {
    memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_every_dress() {
        let text = "流程编号,节点\nBX-1,财务审核\n";
        let utf16 = |little: bool| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
        };
        let marked = format!("\u{feff}{text}");
        let gbk = GB18030.encode(text).0.into_owned();
        for bytes in [text.as_bytes(), marked.as_bytes(), &utf16(true), &utf16(false), &gbk] {
            assert_eq!(decode(bytes).as_deref(), Ok(text));
            assert_eq!(decode_lossy(bytes), text);
        }
    }

    #[test]
    fn what_is_none_of_them_is_told_with_its_line() {
        assert_eq!(decode(b"one\ntwo\nthr\xff\xffee\n"), Err(3));
        assert_eq!(decode(b"\xef\xbb\xbfone\n\xd0\xd0\n"), Err(2), "GBK behind a mark of UTF-8");
        assert_eq!(decode_lossy(b"a\xff\xffb"), "a\u{fffd}\u{fffd}b");
        assert_eq!(decode(b""), Ok("".into()));
    }
}
