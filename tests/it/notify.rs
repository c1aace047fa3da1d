//! Messages to people: through a stand-in for WeCom's robot (the live service cannot be had here), a real SMTP sink, and
//! any webhook; escalations until somebody cares; replies back to who asked.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use zhiban::action::{Door, Job as _, Role};
use zhiban::clock::{Clock, HOUR, MINUTE, SECOND, parse_rfc3339};
use zhiban::config::{Config, Dur, EscalationRule, NotifyChannel, Secret};
use zhiban::intake::answers::{Answer, survey_link};
use zhiban::notify::actions::{Discard, Retry};
use zhiban::notify::jobs::Send;
use zhiban::notify::model::Message;
use zhiban::notify::store as outbox;
use zhiban::oncall::actions::{Acknowledge, SetRota};
use zhiban::oncall::jobs::Escalate;
use zhiban::oncall::model::Rota;
use zhiban::oncall::store as oncall;
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::jobs::Tick;
use zhiban::tickets::store as tickets;

use crate::db::Fresh;
use crate::on_both;

/// What a stand-in for an HTTP service was sent, and how it answers.
#[derive(Debug, Default)]
struct Stand {
    got: Vec<Value>,
    answers: Vec<(StatusCode, Value)>,
}

type Shared = Arc<Mutex<Stand>>;

/// A stand-in on a loopback port; answers what it is told to, then "ok".
async fn stand_in() -> (String, Shared) {
    async fn take(State(stand): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
        let mut stand = stand.lock().expect("lock");
        let (status, answer) =
            if stand.answers.is_empty() { (StatusCode::OK, json!({"errcode": 0})) } else { stand.answers.remove(0) };
        if status == StatusCode::OK && answer["errcode"] == 0 {
            stand.got.push(body);
        }
        (status, Json(answer))
    }
    let stand = Shared::default();
    let app = axum::Router::new().route("/", post(take)).with_state(stand.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/", listener.local_addr().expect("address"));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serve") });
    (url, stand)
}

fn texts(stand: &Shared) -> Vec<String> {
    let got = &stand.lock().expect("lock").got;
    got.iter().map(|b| b["text"]["content"].as_str().unwrap_or_default().to_owned()).collect()
}

fn robot(url: &str) -> NotifyChannel {
    NotifyChannel {
        name: "group".into(),
        kind: "wecom_robot".into(),
        url: Secret::new(url),
        per_minute: 18,
        ..NotifyChannel::default()
    }
}

fn door(fresh: &Fresh, config: Config) -> Door {
    let clock = Clock::manual(parse_rfc3339("2026-11-24T09:00:00+08:00").expect("instant"));
    Door::system(fresh.store.clone(), clock, config.into())
}

fn with_channel(channel: NotifyChannel) -> Config {
    let mut config = Config::default();
    config.notify.channels = vec![channel];
    config
}

async fn put(door: &Door, n: usize, cause: &str) {
    let now = door.clock().now();
    let mut tx = door.store().begin_measure().await.expect("begin");
    for i in 0..n {
        let message = Message {
            channel: "group".into(),
            recipient: String::new(),
            subject: format!("消息 {i}"),
            body: String::new(),
            cause: cause.into(),
            ticket_id: None,
            thread: String::new(),
            dedupe: format!("{cause}{i}"),
            not_before: now,
        };
        outbox::put(&mut tx, &message, now).await.expect("put");
    }
    tx.commit().await.expect("commit");
}

async fn advance(door: &Door, by: i64) {
    door.clock().set(door.clock().now() + by);
}

on_both! {
    async fn a_robot_gets_few_messages_one_by_one_and_many_as_one(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let door = door(&fresh, with_channel(robot(&url)));
        put(&door, 3, "a").await;
        put(&door, 3, "a").await;
        Send.run(&door).await.expect("send");
        assert_eq!(texts(&stand), ["消息 0", "消息 1", "消息 2"], "in order, each once");
        put(&door, 40, "b").await;
        advance(&door, SECOND).await;
        Send.run(&door).await.expect("send");
        let all = texts(&stand);
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(all[3].contains("消息 39") || all[3].ends_with('…'));
        assert!(all[3].len() <= 2_048);
        assert_eq!(outbox::counts(&fresh.store).await.expect("counts"), (0, 0));
    }

    async fn an_outage_loses_nothing_and_floods_nobody(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let door = door(&fresh, with_channel(robot(&url)));
        stand.lock().expect("lock").answers =
            vec![(StatusCode::BAD_GATEWAY, json!({})), (StatusCode::OK, json!({"errcode": 45009, "errmsg": "freq"}))];
        put(&door, 4, "a").await;
        Send.run(&door).await.expect("send");
        Send.run(&door).await.expect("send");
        assert_eq!(texts(&stand).len(), 0, "the first holds up what comes after it");
        advance(&door, 10 * SECOND).await;
        Send.run(&door).await.expect("send");
        advance(&door, 30 * SECOND).await;
        Send.run(&door).await.expect("send");
        assert_eq!(texts(&stand).len(), 0, "too often: the channel rests a minute");
        put(&door, 300, "b").await;
        advance(&door, 2 * MINUTE).await;
        Send.run(&door).await.expect("send");
        assert_eq!(texts(&stand).len(), 1, "everything that waited, as one");
        assert_eq!(outbox::counts(&fresh.store).await.expect("counts"), (0, 0));
    }

    async fn ten_thousand_wait_through_an_hour_and_leave_in_order_within_the_limit(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let door = door(&fresh, with_channel(robot(&url)));
        put(&door, 10_000, "a").await;
        // an hour in which the channel answers nothing but errors
        let end = door.clock().now() + HOUR;
        let mut tries = 0;
        while door.clock().now() < end {
            stand.lock().expect("lock").answers = vec![(StatusCode::BAD_GATEWAY, json!({})); 50];
            Send.run(&door).await.expect("send");
            tries += 50 - stand.lock().expect("lock").answers.len();
            advance(&door, 15 * SECOND).await;
        }
        assert!((5..100).contains(&tries), "tried now and then, not all the time: {tries}");
        stand.lock().expect("lock").answers.clear();
        let mut minutes = 0;
        while outbox::counts(&fresh.store).await.expect("counts").0 > 0 {
            let before = texts(&stand).len();
            for _ in 0..4 {
                advance(&door, 15 * SECOND).await;
                Send.run(&door).await.expect("send");
            }
            assert!(texts(&stand).len() - before <= 18, "no more than the robot takes in a minute");
            minutes += 1;
            assert!(minutes < 120, "it comes to an end");
        }
        let sql = "SELECT id, coalesce(digest_of, id) FROM outbox WHERE state = 'sent' ORDER BY sent_at, id";
        let left = fresh.store.rows(sql, vec![], |r| Ok((r.get::<i64>(0)?, r.get::<i64>(1)?))).await.expect("left");
        assert_eq!(left.len(), 10_000, "every one");
        assert!(left.is_sorted(), "in order");
    }

    async fn two_processes_that_both_deliver_send_each_message_once(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let door = door(&fresh, with_channel(NotifyChannel { per_minute: 0, ..robot(&url) }));
        put(&door, 5, "a").await;
        let (one, other) = tokio::join!(Send.run(&door), Send.run(&door));
        one.expect("send");
        other.expect("send");
        // each once; in order only where one process delivers, as the lease sees to
        let mut sent = texts(&stand);
        sent.sort();
        assert_eq!(sent, ["消息 0", "消息 1", "消息 2", "消息 3", "消息 4"]);
        assert_eq!(outbox::counts(&fresh.store).await.expect("counts"), (0, 0));
    }

    async fn what_never_gets_through_is_given_up_and_can_be_tried_again(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let door = door(&fresh, with_channel(robot(&url)));
        stand.lock().expect("lock").answers = vec![(StatusCode::OK, json!({"errcode": 93000, "errmsg": "invalid key"}))];
        put(&door, 1, "a").await;
        Send.run(&door).await.expect("send");
        let dead = outbox::list(&fresh.store, Some("dead"), 9).await.expect("list");
        assert_eq!((dead.len(), dead[0].error.contains("93000")), (1, true));
        let operator = fresh.door("li", Role::Operator, door.clock());
        operator.run(&Retry { id: dead[0].id }).await.expect("retry");
        Send.run(&door).await.expect("send");
        assert_eq!(texts(&stand).len(), 1);
        assert!(operator.run(&Discard { id: dead[0].id }).await.is_err(), "it was sent");
        assert!(operator.run(&Retry { id: 99 }).await.is_err());
        // a whole day of failures
        stand.lock().expect("lock").answers = vec![(StatusCode::BAD_GATEWAY, json!({})); 200];
        put(&door, 1, "b").await;
        for _ in 0..110 {
            advance(&door, 19 * MINUTE).await;
            Send.run(&door).await.expect("send");
        }
        assert_eq!(outbox::counts(&fresh.store).await.expect("counts"), (0, 1));
    }

    async fn a_threshold_calls_people_until_somebody_cares(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let mut config = with_channel(robot(&url));
        config.notify.people = [("wang".to_owned(), [("group".to_owned(), "wangwei".to_owned())].into())].into();
        config.oncall.escalation = vec![EscalationRule {
            percent: 75,
            levels: vec!["urgent".into()],
            to: vec!["oncall".into()],
            channel: "group".into(),
            repeat: Dur(10 * MINUTE),
            ..EscalationRule::default()
        }];
        let door = door(&fresh, config);
        let rota = Rota {
            people: vec!["wang".into()],
            holiday_people: vec![],
            starts_on: "2026-11-23".parse().expect("date"),
            hand_over: "09:00".parse().expect("time"),
            days: 7,
        };
        door.run(&SetRota { rota: Some(rota) }).await.expect("rota");
        let urgent = New {
            title: "全公司无法提交审批".into(),
            scope: "company".into(),
            severity: "urgent".into(),
            channel: "phone".into(),
            reporter: "张敏".into(),
            ..New::default()
        };
        door.run(&urgent).await.expect("new");
        let step = async || {
            Tick.run(&door).await.expect("tick");
            // two processes that both believe they hold the lease
            let (a, b) = tokio::join!(Escalate.run(&door), Escalate.run(&door));
            a.expect("escalate");
            b.expect("escalate");
            Send.run(&door).await.expect("send");
            texts(&stand).len()
        };
        assert_eq!(step().await, 0);
        advance(&door, 23 * MINUTE).await;
        assert_eq!(step().await, 1, "75 % of half an hour");
        let mentioned = stand.lock().expect("lock").got[0]["text"]["mentioned_list"].clone();
        assert_eq!(mentioned, json!(["wangwei"]));
        assert_eq!(step().await, 1, "not again at once");
        advance(&door, 10 * MINUTE).await;
        assert_eq!(step().await, 2, "again after ten minutes");
        door.run(&Acknowledge { ticket: 1 }).await.expect("acknowledge");
        advance(&door, 20 * MINUTE).await;
        assert_eq!(step().await, 2, "acknowledged");
        advance(&door, 11 * MINUTE).await;
        assert_eq!(step().await, 3, "acknowledged, and nobody did anything");
        fresh.door("li", Role::Operator, door.clock()).run(&Change::new(1, What::Claim)).await.expect("claim");
        advance(&door, HOUR).await;
        step().await;
        let all = oncall::escalations(&fresh.store, 9).await.expect("escalations");
        let response = all.iter().find(|e| e.clock == "response").expect("response");
        assert_eq!((response.state.as_str(), response.ended_by.as_str()), ("cared", "li"));
        assert!(door.run(&Acknowledge { ticket: 99 }).await.is_err());
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn a_reply_that_is_taken_back_never_leaves(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let mut config = with_channel(robot(&url));
        config.notify.answer_by = [("wecom".to_owned(), "group".to_owned())].into();
        let door = door(&fresh, config);
        Answer.run(&door).await.expect("begin");
        let report = zhiban::intake::actions::Report {
            channel: zhiban::intake::model::Channel::Wecom,
            source: "app".into(),
            key: Some("m1".into()),
            digest: "d".into(),
            sender: zhiban::intake::model::Sender { address: "zhangmin".into(), name: "张敏".into(), contact: String::new() },
            module: String::new(),
            title: "报销单打不开".into(),
            body: "…".into(),
            scope: "individual".into(),
            severity: "general".into(),
            reported_at: None,
        };
        door.run(&report).await.expect("report");
        let operator = fresh.door("li", Role::Operator, door.clock());
        let step = async || {
            Answer.run(&door).await.expect("answer");
            Send.run(&door).await.expect("send");
            texts(&stand).len()
        };
        let say = async |text: &str| {
            let said = operator.run(&Change::new(1, What::Reply(text.into()))).await.expect("reply");
            said.undo.expect("can be taken back")
        };
        let responded = async || tickets::get(&fresh.store, 1).await.expect("get").expect("there").response_met_at;
        // it lies in the outbox already
        let back = say("请清除缓存").await;
        assert_eq!(step().await, 0);
        assert!(responded().await.is_some());
        advance(&door, 10 * SECOND).await;
        operator.run(&*back).await.expect("in time");
        assert_eq!(responded().await, None, "nobody has answered");
        advance(&door, MINUTE).await;
        assert_eq!(step().await, 0);
        assert_eq!(outbox::list(&fresh.store, Some("discarded"), 9).await.expect("list").len(), 1);
        // nobody has looked at the journal yet
        let back = say("请重启").await;
        operator.run(&*back).await.expect("in time");
        advance(&door, MINUTE).await;
        assert_eq!(step().await, 0);
        // it left before: the answer stands and so does the clock
        let back = say("已处理").await;
        Answer.run(&door).await.expect("answer");
        advance(&door, 11 * SECOND).await;
        assert_eq!(step().await, 1);
        assert!(operator.run(&*back).await.is_err());
        assert!(responded().await.is_some());
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn quiet_hours_hold_back_what_is_not_urgent(fresh: Fresh) {
        let (url, stand) = stand_in().await;
        let mut config = with_channel(robot(&url));
        config.oncall.quiet_hours = vec![["12:00".into(), "14:00".into()]];
        config.oncall.escalation =
            vec![EscalationRule { to: vec!["everybody".into()], channel: "group".into(), ..EscalationRule::default() }];
        let door = door(&fresh, config);
        let general = New {
            title: "打印格式错位".into(),
            scope: "individual".into(),
            severity: "general".into(),
            channel: "phone".into(),
            reporter: "李雷".into(),
            ..New::default()
        };
        door.run(&general).await.expect("new");
        let step = async || {
            Tick.run(&door).await.expect("tick");
            Escalate.run(&door).await.expect("escalate");
            Send.run(&door).await.expect("send");
            texts(&stand).len()
        };
        // two hours of office time end at eleven; it is looked at in the quiet hours
        advance(&door, 3 * HOUR + 30 * MINUTE).await;
        assert_eq!(step().await, 0);
        advance(&door, HOUR + 31 * MINUTE).await;
        assert_eq!(step().await, 1);
    }
}

/// A real SMTP server that puts what it gets into a folder.
struct Sink {
    server: std::process::Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Sink {
    fn drop(&mut self) {
        _ = self.server.kill();
        _ = self.server.wait();
    }
}

impl Sink {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port();
        let mails = folder.path().join("mails");
        let server = std::process::Command::new("/usr/bin/python3")
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Mailbox"])
            .arg(&mails)
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("python3-aiosmtpd is installed");
        let sink = Self { server, folder, port };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(std::time::Instant::now() < deadline, "the SMTP sink does not answer");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        sink
    }

    fn mails(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("mails/new")).expect("mails");
        entries.map(|e| std::fs::read_to_string(e.expect("entry").path()).expect("mail")).collect()
    }
}

#[tokio::test]
async fn a_reply_goes_back_by_mail_after_ten_seconds_unless_it_is_taken_back() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let sink = Sink::start().await;
    let mut config = with_channel(NotifyChannel {
        name: "mail".into(),
        kind: "smtp".into(),
        host: "127.0.0.1".into(),
        port: sink.port,
        tls: "none".into(),
        from: "OA 服务台 <desk@oa.example>".into(),
        secret: Secret::new("key"),
        ..NotifyChannel::default()
    });
    config.notify.answer_by = [("mail".to_owned(), "mail".to_owned())].into();
    config.notify.public_url = "https://oa.example".into();
    config.notify.link_key = Secret::new("links");
    let link = survey_link(&config, 1).expect("link");
    let door = door(&fresh, config);
    Answer.run(&door).await.expect("begin");
    let report = zhiban::intake::actions::Report {
        channel: zhiban::intake::model::Channel::Mail,
        source: "desk".into(),
        key: Some("<abc@qq.example>".into()),
        digest: "d".into(),
        sender: zhiban::intake::model::Sender {
            address: "zhangmin@oa.example".into(),
            name: "张敏".into(),
            contact: String::new(),
        },
        module: String::new(),
        title: "报销单打不开".into(),
        body: "…".into(),
        scope: "individual".into(),
        severity: "general".into(),
        reported_at: None,
    };
    door.run(&report).await.expect("report");
    let operator = fresh.door("li", Role::Operator, door.clock());
    let said = operator.run(&Change::new(1, What::Reply("请清除缓存后重试".into()))).await.expect("reply");
    let said = said.undo.expect("can be taken back");
    Answer.run(&door).await.expect("answer");
    Send.run(&door).await.expect("send");
    assert!(sink.mails().is_empty(), "held, so that it can be taken back");
    advance(&door, 11 * SECOND).await;
    Send.run(&door).await.expect("send");
    Answer.run(&door).await.expect("answer");
    Send.run(&door).await.expect("send");
    let late = operator.run(&*said).await.expect_err("it has left");
    assert!(late.to_string().contains("#1"), "{late}");
    let mails = sink.mails();
    assert_eq!(mails.len(), 1, "once");
    for part in ["To: zhangmin@oa.example", "In-Reply-To: <abc@qq.example>", "Auto-Submitted: auto-generated", "<oa-1-"]
    {
        assert!(mails[0].contains(part), "{part} in {}", mails[0]);
    }
    let solve = What::Resolve { cause: "缓存".into(), solution: "已清理缓存".into() };
    operator.run(&Change::new(1, solve)).await.expect("resolve");
    Answer.run(&door).await.expect("answer");
    advance(&door, 11 * SECOND).await;
    Send.run(&door).await.expect("send");
    assert_eq!(sink.mails().len(), 2, "the survey");
    assert!(link.starts_with("https://oa.example/s/1/"));
}

#[tokio::test]
async fn a_webhook_sends_what_its_template_says() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let (url, stand) = stand_in().await;
    let channel = NotifyChannel {
        name: "group".into(),
        kind: "webhook".into(),
        url: Secret::new(url),
        body: "{\"errcode\": 0, \"text\": {\"content\": {{ text|tojson }}}}".into(),
        ..NotifyChannel::default()
    };
    let door = door(&fresh, with_channel(channel));
    put(&door, 1, "a").await;
    Send.run(&door).await.expect("send");
    assert_eq!(texts(&stand), ["消息 0"]);
}
