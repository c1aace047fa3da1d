//! Callbacks of WeCom and DingTalk over HTTP, as the platforms send them: sealed here with the keys of a test, because the
//! live services cannot be had.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;
use zhiban::action::Door;
use zhiban::clock::{Clock, DAY, SECOND, parse_rfc3339};
use zhiban::config::{ChatApp, Config, Secret};
use zhiban::intake::store as intake;
use zhiban::intake::wecom::crypto::Keys;
use zhiban::serve::http::Listener;
use zhiban::tickets::store as tickets;

use crate::db::Fresh;
use crate::on_both;

const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

struct Platform {
    url: String,
    client: reqwest::Client,
    keys: Keys,
    door: Door,
    _stop: watch::Sender<bool>,
}

async fn platform(fresh: &Fresh, kind: &str) -> Platform {
    let clock = Clock::manual(parse_rfc3339("2026-11-24T01:00:00Z").expect("instant"));
    let mut config = Config::default();
    config.serve.apps = vec![ChatApp {
        name: "oa".into(),
        kind: kind.into(),
        token: Secret::new("QDG6eK"),
        aes_key: Secret::new(AES_KEY),
        receiver: "corp".into(),
        ..ChatApp::default()
    }];
    let listener = Listener::bind("127.0.0.1:0", &config.serve).await.expect("bind");
    let url = format!("{}/api/v1/wecom/oa/callback", listener.url());
    let (stop, stopped) = watch::channel(false);
    let door = Door::system(fresh.store.clone(), clock, config.into());
    let serving = door.clone();
    tokio::spawn(async move { listener.serve(serving, stopped).await.expect("serve") });
    Platform {
        url,
        client: zhiban::net::http_client(std::time::Duration::from_secs(20)).expect("client"),
        keys: Keys::new("QDG6eK", AES_KEY, "corp").expect("keys"),
        door,
        _stop: stop,
    }
}

impl Platform {
    fn stamp(&self) -> String {
        (self.door.clock().now() / SECOND).to_string()
    }

    fn query(&self, sealed: &str) -> Vec<(&'static str, String)> {
        let stamp = self.stamp();
        let signature = self.keys.signature(&stamp, "n1", sealed);
        vec![("msg_signature", signature), ("timestamp", stamp), ("nonce", "n1".into())]
    }

    /// Sends a message as WeCom does.
    async fn send(&self, plain: &str) -> StatusCode {
        let sealed = self.keys.seal(plain.as_bytes(), [5; 16]);
        let body =
            format!("<xml><ToUserName><![CDATA[corp]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
        self.post(&self.query(&sealed), body).await.0
    }

    async fn post(&self, query: &[(&str, String)], body: String) -> (StatusCode, String) {
        let pairs: Vec<String> = query.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let url = format!("{}?{}", self.url, pairs.join("&"));
        let answer = self.client.post(url).body(body).send().await.expect("answer");
        (answer.status(), answer.text().await.expect("text"))
    }
}

fn text(id: &str, from: &str, said: &str) -> String {
    format!(
        "<xml><FromUserName><![CDATA[{from}]]></FromUserName><CreateTime>1795482000</CreateTime>\
         <MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{said}]]></Content><MsgId>{id}</MsgId></xml>"
    )
}

on_both! {
    async fn a_message_becomes_a_ticket_and_the_next_one_continues_it(fresh: Fresh) {
        let p = platform(&fresh, "wecom").await;
        assert_eq!(p.send(&text("1", "zhangmin", "审批提交后一直转圈\n怎么办")).await, StatusCode::OK);
        // the platform did not hear the answer and sends it again
        assert_eq!(p.send(&text("1", "zhangmin", "审批提交后一直转圈\n怎么办")).await, StatusCode::OK);
        assert_eq!(p.send(&text("2", "zhangmin", "还是不行")).await, StatusCode::OK);
        assert_eq!(p.send(&text("3", "lilei", "打不开附件")).await, StatusCode::OK);
        let image = text("4", "lilei", "").replace("[text]", "[image]")
            .replace("<MsgId>", "<PicUrl>http://p/1.png</PicUrl><MsgId>");
        assert_eq!(p.send(&image).await, StatusCode::OK);
        let first = tickets::get(&fresh.store, 1).await.expect("get").expect("ticket");
        assert_eq!((first.title.as_str(), first.channel.as_str(), first.reporter.as_str()),
            ("审批提交后一直转圈", "wecom", "zhangmin"));
        let said = |past: Vec<zhiban::tickets::model::Happening>| -> Vec<Value> {
            past.iter().filter(|h| h.kind == "user_message").map(|h| h.data["text"].clone()).collect()
        };
        let past = tickets::happenings(&fresh.store, 1).await.expect("past");
        assert_eq!(said(past), ["还是不行"]);
        let past = tickets::happenings(&fresh.store, 2).await.expect("past");
        assert!(said(past)[0].as_str().expect("text").contains("http://p/1.png"));
        assert!(tickets::get(&fresh.store, 3).await.expect("get").is_none());
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn forged_replayed_and_unreadable_callbacks_make_no_ticket_and_lose_nothing(fresh: Fresh) {
        let p = platform(&fresh, "wecom").await;
        let sealed = p.keys.seal(text("1", "a", "x").as_bytes(), [5; 16]);
        let body = format!("<xml><Encrypt>{sealed}</Encrypt></xml>");
        let mut forged = p.query(&sealed);
        forged[0].1 = "0".repeat(40);
        assert_eq!(p.post(&forged, body.clone()).await.0, StatusCode::FORBIDDEN);
        let stranger = Keys::new("QDG6eK", AES_KEY, "somebody").expect("keys").seal(b"<xml/>", [5; 16]);
        let for_another = format!("<xml><Encrypt>{stranger}</Encrypt></xml>");
        assert_eq!(p.post(&p.query(&stranger), for_another).await.0, StatusCode::FORBIDDEN);
        assert_eq!(p.post(&p.query(&sealed), "<xml><Encrypt>".into()).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(p.send("<xml><FromUserName>a</FromUserName></xml>").await, StatusCode::OK, "kept, and not sent for ever");
        let late = p.query(&sealed);
        p.door.clock().set(p.door.clock().now() + DAY);
        assert_eq!(p.post(&late, body).await.0, StatusCode::OK);
        let held = intake::quarantine(&fresh.store, false, 9).await.expect("quarantine");
        assert_eq!(held.len(), 2);
        assert!(tickets::get(&fresh.store, 1).await.expect("get").is_none());
        // the old one was a person's message all the same
        let retry = zhiban::intake::quarantine::Retry { id: held[0].id };
        assert_eq!(p.door.run(&retry).await.expect("retry").value["state"], "retried");
        assert!(tickets::get(&fresh.store, 1).await.expect("get").is_some());
        let elsewhere = p.client.get(p.url.replace("/oa/", "/other/")).send().await.expect("answer");
        assert!(elsewhere.status().is_client_error());
    }
}

#[tokio::test]
async fn the_platform_is_told_that_this_is_the_place() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let p = platform(&fresh, "wecom").await;
    let sealed = p.keys.seal(b"1616140317555161061", [9; 16]);
    let mut query = p.query(&sealed);
    query.push(("echostr", sealed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")));
    let pairs: Vec<String> = query.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let answer = p.client.get(format!("{}?{}", p.url, pairs.join("&"))).send().await.expect("answer");
    assert_eq!(answer.text().await.expect("text"), "1616140317555161061");
}

#[tokio::test]
async fn dingtalk_is_answered_with_a_sealed_success() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let p = platform(&fresh, "dingtalk").await;
    let message = json!({"msgtype": "text", "text": {"content": "登录不了"}, "senderStaffId": "u1", "senderNick": "李雷",
        "msgId": "m1", "createAt": p.door.clock().now()});
    let sealed = p.keys.seal(message.to_string().as_bytes(), [5; 16]);
    let (status, body) = p.post(&p.query(&sealed), json!({"encrypt": sealed}).to_string()).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    let get = |key: &str| answer[key].as_str().expect("text");
    let opened = p.keys.open(get("msg_signature"), get("timeStamp"), get("nonce"), get("encrypt")).expect("open");
    assert_eq!(opened.message, b"success");
    let ticket = tickets::get(&fresh.store, 1).await.expect("get").expect("ticket");
    assert_eq!((ticket.reporter.as_str(), ticket.channel.as_str()), ("李雷", "dingtalk"));
}

/// A stand-in for the smart robot's platform: a real WebSocket on a loopback port.
async fn robot_platform()
-> (String, tokio::sync::mpsc::UnboundedReceiver<Value>, tokio::sync::mpsc::UnboundedSender<Value>) {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("ws://{}", listener.local_addr().expect("address"));
    let (got, heard) = tokio::sync::mpsc::unbounded_channel();
    let (say, mut said) = tokio::sync::mpsc::unbounded_channel::<Value>();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("accept");
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("handshake");
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let Some(Ok(Message::Text(text))) = frame else { return };
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    let receipt = json!({"headers": frame["headers"], "errcode": 0});
                    _ = got.send(frame);
                    socket.send(Message::text(receipt.to_string())).await.expect("receipt");
                }
                frame = said.recv() => {
                    let Some(frame) = frame else { return };
                    socket.send(Message::text(frame.to_string())).await.expect("send");
                }
            }
        }
    });
    (url, heard, say)
}

#[tokio::test]
async fn the_smart_robot_hears_and_answers_over_one_connection() {
    use zhiban::action::{Job as _, Role};
    use zhiban::intake::wecom::bot::{Socket, converse};
    use zhiban::tickets::actions::{Change, What};
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let (url, mut heard, say) = robot_platform().await;
    let mut config = Config::default();
    config.notify.channels = vec![zhiban::config::NotifyChannel {
        name: "bot".into(),
        kind: "wecom_bot".into(),
        bot_id: "b1".into(),
        secret: Secret::new("s1"),
        ..Default::default()
    }];
    config.notify.answer_by = [("wecom".to_owned(), "bot".to_owned())].into();
    let clock = Clock::manual(parse_rfc3339("2026-11-24T01:00:00Z").expect("instant"));
    let door = Door::system(fresh.store.clone(), clock.clone(), config.into());
    zhiban::intake::answers::Answer.run(&door).await.expect("begin");
    let speaking = door.clone();
    let session = tokio::spawn(async move {
        let channel = speaking.config().notify.channels[0].clone();
        converse(&speaking, &channel, &Socket { url }).await
    });
    let subscribed = heard.recv().await.expect("subscribe");
    assert_eq!((&subscribed["cmd"], &subscribed["body"]["bot_id"]), (&json!("aibot_subscribe"), &json!("b1")));
    let message = json!({"cmd": "aibot_msg_callback", "headers": {"req_id": "c1"}, "body": {"msgid": "m1",
        "from": {"userid": "alice"}, "msgtype": "text", "text": {"content": "打印机坏了"}}});
    // pushed again, as the platform does when it believes that nobody heard
    say.send(message.clone()).expect("say");
    say.send(message).expect("say");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while tickets::get(&fresh.store, 1).await.expect("get").is_none() {
        assert!(std::time::Instant::now() < deadline, "no ticket");
        tokio::task::yield_now().await;
    }
    let operator = fresh.door("li", Role::Operator, &clock);
    operator.run(&Change::new(1, What::Reply("请重启打印机".into()))).await.expect("reply");
    zhiban::intake::answers::Answer.run(&door).await.expect("answer");
    clock.set(clock.now() + 11 * SECOND);
    let sent = loop {
        let frame = heard.recv().await.expect("frame");
        if frame["cmd"] == "aibot_send_msg" {
            break frame;
        }
    };
    assert_eq!(sent["body"]["chatid"], "alice");
    assert!(sent["body"]["markdown"]["content"].as_str().expect("text").contains("请重启打印机"));
    while zhiban::notify::store::counts(&fresh.store).await.expect("counts").0 > 0 {
        assert!(std::time::Instant::now() < deadline, "never acknowledged");
        tokio::task::yield_now().await;
    }
    assert!(tickets::get(&fresh.store, 2).await.expect("get").is_none(), "once");
    let gone = json!({"cmd": "aibot_event_callback", "body": {"event": {"eventtype": "disconnected_event"}}});
    say.send(gone).expect("say");
    assert!(session.await.expect("session").is_err());
}
