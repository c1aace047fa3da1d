//! What a person wrote, out of the XML of WeCom or the JSON of DingTalk.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::clock::{Millis, SECOND};
use crate::config::Config;
use crate::intake::actions::{Report, Wrote};
use crate::intake::model::{Channel, NAME_MAX, Sender, TEXT_MAX, digest};
use crate::locale::intake as say;

/// Characters of a title made of a message.
const TITLE: usize = 60;

/// A message of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Who, as the platform knows them.
    pub from: String,
    /// What they are called, where the platform says.
    pub name: String,
    /// Names the message.
    pub key: String,
    /// When it was written.
    pub at: Option<Millis>,
    /// What it says; an image by its address.
    pub text: String,
}

/// The fields of a flat XML document, nested ones by their own name.
fn fields(xml: &str) -> Result<Vec<(String, String)>, String> {
    let mut reader = Reader::from_str(xml);
    let mut out: Vec<(String, String)> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|e| e.to_string())? {
            Event::Start(e) => {
                let name = e.name().as_ref().to_owned();
                out.push((name.clone(), String::new()));
                open.push(name);
            }
            Event::End(_) => _ = open.pop(),
            Event::Text(e) => append(&mut out, &open, &e),
            Event::CData(e) => append(&mut out, &open, &e),
            Event::GeneralRef(e) => {
                let name: &str = &e;
                let resolved = match e.resolve_char_ref().map_err(|e| e.to_string())? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(name).unwrap_or_default().to_owned(),
                };
                append(&mut out, &open, &resolved);
            }
            // a document type could define entities: nothing that sends these messages uses one
            Event::DocType(_) => return Err(say::no_doctype()),
            Event::Eof => return if open.is_empty() { Ok(out) } else { Err(say::xml_ends_early()) },
            _ => {}
        }
    }
}

fn append(out: &mut [(String, String)], open: &[String], text: &str) {
    if let Some(name) = open.last()
        && let Some((_, value)) = out.iter_mut().rev().find(|(n, _)| n == name)
    {
        value.push_str(text);
    }
}

/// The ciphertext of a callback's body: XML or JSON that holds `Encrypt`.
///
/// # Errors
/// When there is none.
pub fn ciphertext(body: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(body).map_err(|_| say::not_utf8())?;
    if text.trim_start().starts_with('{') {
        let json: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let found = ["encrypt", "Encrypt"].iter().find_map(|k| json[*k].as_str());
        return found.map(str::to_owned).ok_or_else(say::no_ciphertext);
    }
    let found = fields(text)?.into_iter().find(|(name, _)| name == "Encrypt");
    found.map(|(_, value)| value).filter(|v| !v.is_empty()).ok_or_else(say::no_ciphertext)
}

/// Reads a decrypted message; `None` for events, which nobody wrote.
///
/// # Errors
/// When it cannot be understood.
pub fn read(plain: &[u8]) -> Result<Option<Heard>, String> {
    let text = std::str::from_utf8(plain).map_err(|_| say::not_utf8())?;
    if text.trim_start().starts_with('{') { read_json(text) } else { read_xml(text) }
}

fn read_xml(text: &str) -> Result<Option<Heard>, String> {
    let fields = fields(text)?;
    let get = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim().to_owned()).unwrap_or_default();
    let kind = get("MsgType");
    let said = match kind.as_str() {
        "event" => return Ok(None),
        "text" => get("Content"),
        "image" => format!("{} {} {}", say::image(), get("PicUrl"), get("MediaId")).trim().to_owned(),
        "voice" | "video" | "file" => format!("{} {}", say::attachment(&kind), get("MediaId")),
        "location" => format!("{} {}", say::attachment(&kind), get("Label")),
        "link" => format!("{} {}", get("Title"), get("Url")),
        "" => return Err(say::no_message_type()),
        other => say::attachment(other),
    };
    heard(get("FromUserName"), String::new(), get("MsgId"), get("CreateTime"), said)
}

fn read_json(text: &str) -> Result<Option<Heard>, String> {
    let json: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let get = |names: &[&str]| {
        let found = names.iter().find_map(|n| json.pointer(n).filter(|v| !v.is_null()));
        found.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).unwrap_or_default()
    };
    if json.get("EventType").is_some() || get(&["/msgtype", "/MsgType"]) == "event" {
        return Ok(None);
    }
    let kind = get(&["/msgtype", "/MsgType"]);
    let said = match kind.as_str() {
        "text" => get(&["/text/content", "/Content"]),
        "picture" | "image" => format!("{} {}", say::image(), get(&["/content/downloadCode", "/image/url", "/PicUrl"])),
        "" => return Err(say::no_message_type()),
        other => say::attachment(other),
    };
    heard(
        get(&["/senderStaffId", "/senderId", "/from/userid", "/FromUserName"]),
        get(&["/senderNick"]),
        get(&["/msgId", "/msgid", "/MsgId"]),
        get(&["/createAt", "/CreateTime"]),
        said,
    )
}

fn heard(from: String, name: String, key: String, at: String, text: String) -> Result<Option<Heard>, String> {
    if from.is_empty() {
        return Err(say::no_sender());
    }
    let at = at.parse::<i64>().ok().map(|t| if t < 100_000_000_000 { t.saturating_mul(SECOND) } else { t });
    // an occurrence without an identity of its own is named by who and when
    let key = if key.is_empty() { format!("{from}+{}", at.unwrap_or_default()) } else { key };
    Ok(Some(Heard { from, name, key, at, text }))
}

impl Heard {
    /// What it does: continue the sender's open ticket, or make one. `source` names the application.
    pub fn wrote(&self, channel: Channel, source: &str, config: &Config) -> Wrote {
        let first = self.text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default().trim();
        let mut title: String = first.chars().take(TITLE).collect();
        if first.chars().count() > TITLE {
            title.push('…');
        }
        if title.is_empty() {
            title = say::empty_message();
        }
        let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let text = if self.text.trim().is_empty() { say::empty_message() } else { cut(&self.text, TEXT_MAX) };
        let report = Report {
            channel,
            source: source.to_owned(),
            key: Some(cut(&self.key, NAME_MAX)),
            digest: digest(format!("{}\n{}", self.from, self.text).as_bytes()),
            sender: Sender {
                address: cut(&self.from, NAME_MAX),
                name: cut(&self.name, NAME_MAX),
                contact: String::new(),
            },
            module: String::new(),
            title,
            body: text.clone(),
            scope: "individual".into(),
            severity: "general".into(),
            reported_at: self.at,
        };
        Wrote { report, text, within: config.serve.conversation.millis() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_xml_of_wecom_is_read() {
        let xml = "<xml><ToUserName><![CDATA[corp]]></ToUserName><FromUserName><![CDATA[zhangmin]]></FromUserName>\
                   <CreateTime>1409659813</CreateTime><MsgType><![CDATA[text]]></MsgType>\
                   <Content><![CDATA[审批 <提交> 后 & 转圈]]></Content><MsgId>456</MsgId><AgentID>218</AgentID></xml>";
        let heard = read(xml.as_bytes()).expect("read").expect("a message");
        assert_eq!((heard.from.as_str(), heard.key.as_str(), heard.at), ("zhangmin", "456", Some(1_409_659_813_000)));
        assert_eq!(heard.text, "审批 <提交> 后 & 转圈");
        let event = xml.replace("text]]></MsgType>", "event]]></MsgType>");
        assert_eq!(read(event.as_bytes()), Ok(None));
    }

    #[test]
    fn the_json_of_dingtalk_is_read() {
        let json = r#"{"msgtype":"text","text":{"content":"登录不了"},"senderStaffId":"u1","senderNick":"李雷",
            "msgId":"m1","createAt":1795481400000}"#;
        let heard = read(json.as_bytes()).expect("read").expect("a message");
        assert_eq!((heard.name.as_str(), heard.at), ("李雷", Some(1_795_481_400_000)));
    }

    #[test]
    fn what_is_cut_off_or_defines_entities_is_refused() {
        assert!(read(b"<xml><MsgType>text</MsgType><Content>abc").is_err());
        assert!(read(b"<!DOCTYPE x [<!ENTITY a \"b\">]><xml><MsgType>text</MsgType></xml>").is_err());
        assert!(read(b"\xff\xfe").is_err());
        assert!(ciphertext(b"<xml><A>1</A></xml>").is_err());
        assert_eq!(ciphertext(br#"{"encrypt":"abc"}"#).as_deref(), Ok("abc"));
    }
}
