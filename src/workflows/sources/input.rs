//! Bytes on their way in: unpacked, in an encoding that the readers understand, with lines counted.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use encoding_rs::{Decoder, Encoding};
use flate2::read::MultiGzDecoder;

use super::{Format, LogError};
use crate::locale::workflows as say;
use crate::text::encoding;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;
/// Longest stretch between two points at which the reader says it gets on.
const LONGEST: u64 = 8 << 20;

/// A source of bytes.
pub(super) type Raw<'a> = Box<dyn Read + 'a>;

/// Counts the lines that were consumed and refuses a piece (a tag, a record) without end.
pub(super) struct Lines<'a> {
    inner: BufReader<Raw<'a>>,
    /// Line ends consumed so far.
    pub line_ends: u64,
    since_mark: u64,
}

impl Lines<'_> {
    /// The line at which the reader stands, from 1.
    pub fn line(&self) -> u64 {
        self.line_ends + 1
    }
    /// Consumes without counting, for a reader that counts by itself.
    pub fn consume_uncounted(&mut self, n: usize) {
        self.since_mark += n as u64;
        self.inner.consume(n);
    }
    /// A piece is whole: the next may be as long again.
    pub fn mark(&mut self) {
        self.since_mark = 0;
    }
}

impl Read for Lines<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.fill_buf()?;
        let n = got.len().min(buf.len());
        buf[..n].copy_from_slice(&got[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Lines<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since_mark > LONGEST {
            return Err(io::Error::other(say::endless_piece()));
        }
        self.inner.fill_buf()
    }
    fn consume(&mut self, n: usize) {
        let buf = self.inner.buffer();
        self.line_ends += memchr::memchr_iter(b'\n', &buf[..n.min(buf.len())]).count() as u64;
        self.consume_uncounted(n);
    }
}

/// Bytes put back before the rest.
fn with_head<'a>(mut raw: impl Read + 'a, want: usize) -> Result<(Vec<u8>, Chain<Cursor<Vec<u8>>, Raw<'a>>), LogError> {
    let mut head = vec![0; want];
    let mut n = 0;
    while n < want {
        match raw.read(&mut head[n..]) {
            Ok(0) => break,
            Ok(got) => n += got,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // told again, with its line, by the reader that comes to it
            Err(e) if n > 0 => {
                head.truncate(n);
                let broken: Raw<'a> = Box::new(Broken(Some(e)));
                return Ok((head.clone(), Cursor::new(head).chain(broken)));
            }
            Err(e) => return Err(LogError::Io(e.to_string())),
        }
    }
    head.truncate(n);
    let rest: Raw<'a> = Box::new(raw);
    Ok((head.clone(), Cursor::new(head).chain(rest)))
}

/// Fails once.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Unpacks gzip and turns UTF-16, and XML that says it is in another encoding, into UTF-8. CSV without a mark is left
/// as it is: its reader decides when it has seen the names.
pub(super) fn open<'a>(raw: impl Read + 'a) -> Result<Lines<'a>, LogError> {
    let (head, raw) = with_head(raw, 2)?;
    let raw: Raw<'a> = if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(PIECE, raw)))
    } else {
        Box::new(raw)
    };
    let (head, raw) = with_head(raw, 512)?;
    let found = encoding::marked(&head).map(|(e, _)| e).or_else(|| declared(&head));
    let raw: Raw<'a> = match found {
        Some(e) if e != encoding_rs::UTF_8 => Box::new(Transcode {
            raw: Box::new(raw),
            decoder: e.new_decoder(),
            input: vec![0; PIECE],
            held: 0..0,
            done: false,
            line: 1,
        }),
        Some(_) if head.starts_with(&[0xef, 0xbb, 0xbf]) => {
            let mut raw = raw;
            raw.read_exact(&mut [0; 3]).map_err(|e| LogError::Io(e.to_string()))?;
            Box::new(raw)
        }
        _ => Box::new(raw),
    };
    Ok(Lines { inner: BufReader::with_capacity(PIECE, raw), line_ends: 0, since_mark: 0 })
}

/// The encoding an XML declaration names.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = head.trim_ascii_start();
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memchr(b'>', declaration)?];
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let rest = declaration[at + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let quote = *rest.first()?;
    let end = memchr::memchr(quote, &rest[1..])?;
    Encoding::for_label(&rest[1..=end])
}

/// XML begins with `<`; anything else is CSV.
pub(super) fn format(input: &mut Lines<'_>) -> Result<Format, LogError> {
    let head = input.fill_buf().map_err(|e| LogError::at(1, unreadable(&e)))?;
    if head.is_empty() {
        return Err(LogError::File(say::empty_file()));
    }
    Ok(if head.trim_ascii_start().starts_with(b"<") { Format::Xes } else { Format::Csv })
}

/// Why bytes stopped coming, as a sentence.
pub(super) fn unreadable(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::UnexpectedEof => say::gzip_cut(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => say::gzip_damaged(),
        _ => e.to_string(),
    }
}

/// Another encoding on its way to UTF-8.
struct Transcode<'a> {
    raw: Raw<'a>,
    decoder: Decoder,
    input: Vec<u8>,
    held: std::ops::Range<usize>,
    done: bool,
    line: u64,
}

impl Read for Transcode<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.held.is_empty() && !self.done {
                let n = self.raw.read(&mut self.input)?;
                self.held = 0..n;
                self.done = n == 0;
            }
            let from = &self.input[self.held.clone()];
            let (_, read, written, bad) = self.decoder.decode_to_utf8(from, buf, self.done);
            self.line += memchr::memchr_iter(b'\n', &buf[..written]).count() as u64;
            if bad {
                let why = say::wrong_encoding(self.decoder.encoding().name());
                return Err(io::Error::other(say::at_line(self.line, &why)));
            }
            self.held.start += read;
            if written > 0 || (self.done && self.held.is_empty()) {
                return Ok(written);
            }
        }
    }
}
