//! Event logs as XES (IEEE 1849), streamed.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event as Xml};
use quick_xml::{Reader, XmlVersion};

use super::input::{Lines, unreadable};
use super::time::TimeReader;
use super::{LogError, Options};
use crate::locale::workflows as say;
use crate::text;
use crate::workflows::log::Log;
use crate::workflows::model::{Event, Transition};

/// The attributes of an event that matter.
#[derive(Debug, Default)]
struct Fields {
    activity: String,
    resource: String,
    at: Option<i64>,
    start: Option<i64>,
    transition: Transition,
}

/// Where the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Log,
    Trace,
    Event,
}

/// Reads an XES log. A log that ends before `</log>` is refused: it would be taken for a shorter one.
pub(super) fn read(input: Lines<'_>, options: &Options) -> Result<Log, LogError> {
    let mut xml = Reader::from_reader(input);
    xml.config_mut().check_comments = false;
    let mut reader = Xes {
        log: Log::default(),
        times: TimeReader::new(options.zone, options.time_format.clone()),
        place: Place::Outside,
        nested: 0,
        traces: 0,
        case: String::new(),
        fields: Fields::default(),
        seen_log: false,
    };
    let mut buf = Vec::with_capacity(4096);
    loop {
        buf.clear();
        xml.get_mut().mark();
        let line = xml.get_ref().line();
        let event = xml.read_event_into(&mut buf);
        let line_after = xml.get_ref().line();
        match event {
            Ok(Xml::Eof) => break,
            Ok(Xml::Start(tag)) => reader.opened(&tag, false, line_after)?,
            Ok(Xml::Empty(tag)) => reader.opened(&tag, true, line_after)?,
            Ok(Xml::End(tag)) => reader.closed(tag.local_name().as_ref(), line_after)?,
            Ok(_) => {}
            Err(quick_xml::Error::Io(e)) => return Err(LogError::at(line_after, unreadable(&e))),
            Err(quick_xml::Error::Encoding(_)) => return Err(LogError::at(line, say::not_utf8())),
            Err(e) => return Err(LogError::at(line, say::bad_xml(&text::fit(&text::clean(&e.to_string()), 200)))),
        }
    }
    let end = xml.get_ref().line();
    if !reader.seen_log {
        return Err(LogError::at(1, say::no_xes()));
    }
    if reader.place != Place::Outside {
        return Err(LogError::at(end, say::xes_cut()));
    }
    Ok(reader.log)
}

struct Xes {
    log: Log,
    times: TimeReader,
    place: Place,
    /// Open elements below the place: attributes of attributes, globals, classifiers.
    nested: u32,
    traces: u64,
    case: String,
    fields: Fields,
    seen_log: bool,
}

impl Xes {
    fn opened(&mut self, tag: &BytesStart<'_>, empty: bool, line: u64) -> Result<(), LogError> {
        if self.nested > 0 {
            self.nested += u32::from(!empty);
            return Ok(());
        }
        match (self.place, tag.local_name().as_ref()) {
            (Place::Outside, "log") => {
                self.seen_log = true;
                if !empty {
                    self.place = Place::Log;
                }
            }
            (Place::Outside, _) => return Err(LogError::at(line, say::no_xes())),
            (Place::Log, "trace") => {
                self.traces += 1;
                self.case.clear();
                if !empty {
                    self.place = Place::Trace;
                }
            }
            (Place::Trace, "event") => {
                let fields = std::mem::take(&mut self.fields);
                self.fields = Fields { at: None, start: None, transition: Transition::Complete, ..fields };
                self.fields.activity.clear();
                self.fields.resource.clear();
                if empty {
                    self.event_done(line)?;
                } else {
                    self.place = Place::Event;
                }
            }
            (Place::Trace | Place::Event, "string" | "date" | "id" | "int" | "float" | "boolean") => {
                self.attribute(tag, line)?;
                self.nested += u32::from(!empty);
            }
            _ => self.nested += u32::from(!empty),
        }
        Ok(())
    }

    fn closed(&mut self, name: &str, line: u64) -> Result<(), LogError> {
        if self.nested > 0 {
            self.nested -= 1;
            return Ok(());
        }
        self.place = match (self.place, name) {
            (Place::Event, "event") => {
                self.event_done(line)?;
                Place::Trace
            }
            (Place::Trace, "trace") => Place::Log,
            (Place::Log, "log") => Place::Outside,
            (place, _) => place,
        };
        Ok(())
    }

    fn attribute(&mut self, tag: &BytesStart<'_>, line: u64) -> Result<(), LogError> {
        let bad = |why: &str| LogError::at(line, say::bad_xml(&text::fit(&text::clean(why), 200)));
        let (mut key, mut value) = (Cow::Borrowed(""), Cow::Borrowed(""));
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|e| bad(&e.to_string()))?;
            let into = match attribute.key.local_name().as_ref() {
                "key" => &mut key,
                "value" => &mut value,
                _ => continue,
            };
            *into = if attribute.value.bytes().any(|b| matches!(b, b'&' | b'\n' | b'\r' | b'\t')) {
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| bad(&e.to_string()))?
            } else {
                attribute.value
            };
        }
        let fields = &mut self.fields;
        match (self.place, key.as_ref()) {
            (Place::Trace, "concept:name") => value.as_ref().clone_into(&mut self.case),
            (Place::Event, "concept:name") => value.as_ref().clone_into(&mut fields.activity),
            (Place::Event, "org:resource") => value.as_ref().clone_into(&mut fields.resource),
            (Place::Event, "lifecycle:transition") => fields.transition = Transition::from_bytes(value.as_bytes()),
            (Place::Event, key @ ("time:timestamp" | "start_timestamp")) => {
                let at = self.times.read(value.as_bytes());
                if at.is_none() {
                    let shown = text::fit(&text::clean(&value), 40).into_owned();
                    return Err(LogError::at(line, say::no_time(key, &shown)));
                }
                *(if key == "time:timestamp" { &mut fields.at } else { &mut fields.start }) = at;
            }
            _ => {}
        }
        Ok(())
    }

    fn event_done(&mut self, line: u64) -> Result<(), LogError> {
        if self.case.is_empty() {
            // a trace without a name is a case all the same
            self.case = format!("trace {}", self.traces);
        }
        let fields = &self.fields;
        let Some(at) = fields.at else { return Err(LogError::at(line, say::event_without("time:timestamp"))) };
        if fields.activity.is_empty() {
            return Err(LogError::at(line, say::event_without("concept:name")));
        }
        let event = Event {
            case: self.case.as_bytes(),
            activity: fields.activity.as_bytes(),
            resource: if matches!(fields.resource.as_str(), "NULL" | "null") {
                &[]
            } else {
                fields.resource.as_bytes()
            },
            at,
            start: fields.start,
            enabled: None,
            transition: fields.transition,
        };
        self.log.push(&event).map_err(|e| LogError::overflow(line, e))
    }
}
