//! Intake over HTTP, as a sender meets it: a real listener on a loopback port.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use zhiban::action::{Door, Role};
use zhiban::clock::Clock;
use zhiban::config::{Config, Dur, Serve};
use zhiban::intake::model::TokenKind;
use zhiban::intake::quarantine::{Discard, Retry};
use zhiban::intake::store as intake;
use zhiban::intake::tokens::{Create, Revoke, random};
use zhiban::serve::http::Listener;
use zhiban::tickets::actions::{Change, What};

use crate::db::Fresh;
use crate::on_both;

/// A desk that listens, and a sender with a token.
struct Desk {
    url: String,
    client: Client,
    token: String,
    door: Door,
    _stop: watch::Sender<bool>,
}

async fn desk(fresh: &Fresh, limits: Serve) -> Desk {
    let clock = Clock::manual(zhiban::clock::parse_rfc3339("2026-11-24T01:00:00Z").expect("instant"));
    let config = Config { serve: limits, ..Config::default() };
    let listener = Listener::bind("127.0.0.1:0", &config.serve).await.expect("bind");
    let url = listener.url();
    let (stop, stopped) = watch::channel(false);
    let door = Door::system(fresh.store.clone(), clock.clone(), config.into());
    let serving = door.clone();
    tokio::spawn(async move { listener.serve(serving, stopped).await.expect("serve") });
    let token = token(fresh, &clock, "oa", TokenKind::Api).await;
    Desk {
        url,
        client: zhiban::net::http_client(std::time::Duration::from_secs(20)).expect("client"),
        token,
        door,
        _stop: stop,
    }
}

async fn token(fresh: &Fresh, clock: &Clock, source: &str, kind: TokenKind) -> String {
    let token = random().expect("random");
    let create = Create { source: source.into(), kind, token: token.clone() };
    fresh.door("root", Role::Admin, clock).run(&create).await.expect("token");
    token
}

impl Desk {
    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    async fn report(&self, key: Option<&str>, body: &Value) -> Response {
        let mut request = self.post("/api/v1/tickets").json(body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        request.send().await.expect("answer")
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.door.store().row(&sql, vec![], |r| r.get(0)).await.expect("count").expect("row")
    }
}

fn report() -> Value {
    json!({"title": "审批提交后一直转圈", "body": "点击提交没有反应", "scope": "company", "severity": "urgent",
        "reporter": {"id": "zhangmin", "name": "张敏", "contact": "8021"}, "module": "workflow"})
}

async fn json_of(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, response.json().await.expect("JSON"))
}

on_both! {
    async fn a_report_becomes_one_ticket_however_often_it_is_sent(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let (status, first) = json_of(desk.report(Some("a-1"), &report()).await).await;
        assert_eq!((status, &first["level"], &first["state"]), (StatusCode::CREATED, &json!("urgent"), &json!("new")));
        assert_eq!(first["response_due"], "2026-11-24T01:30:00Z");
        let (status, again) = json_of(desk.report(Some("a-1"), &report()).await).await;
        assert_eq!((status, &again), (StatusCode::OK, &first));
        let mut other = report();
        other["title"] = json!("另一件事");
        let (status, problem) = json_of(desk.report(Some("a-1"), &other).await).await;
        assert_eq!((status, &problem["status"]), (StatusCode::CONFLICT, &json!(409)));
        assert_eq!(desk.count("ticket").await, 1);
        // without a key every report is a report
        assert_eq!(desk.report(None, &report()).await.status(), StatusCode::CREATED);
        assert_eq!(desk.count("ticket").await, 2);
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn many_at_once_with_the_same_key_make_one_ticket(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let body = report();
        let sent = futures_util::future::join_all((0..40).map(|i| {
            let key = format!("k{}", i % 4);
            let (desk, body) = (&desk, &body);
            async move { json_of(desk.report(Some(&key), body).await).await }
        }));
        let answers = sent.await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).count(), 4);
        assert!(answers.iter().all(|(status, _)| status.is_success()));
        assert_eq!(desk.count("ticket").await, 4);
    }

    async fn a_wrong_field_is_named_and_what_is_no_report_is_kept(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let bad = json!({"title": "  ", "reporter": {"id": ""}, "scope": "planet", "reported_at": "yesterday"});
        let response = desk.report(None, &bad).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let (status, problem) = json_of(response).await;
        let named: Vec<_> = problem["errors"].as_array().expect("errors").iter().map(|e| e["pointer"].clone()).collect();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(named, ["/title", "/scope", "/reported_at", "/reporter/id"]);
        let late = json!({"title": "x", "reporter": {"id": "a"}, "reported_at": "2027-01-01T00:00:00Z"});
        assert_eq!(desk.report(None, &late).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let broken = || desk.post("/api/v1/tickets").header("content-type", "application/json").body("{\"title\":");
        assert_eq!(broken().send().await.expect("answer").status(), StatusCode::BAD_REQUEST);
        assert_eq!(broken().send().await.expect("answer").status(), StatusCode::BAD_REQUEST);
        let text = desk.post("/api/v1/tickets").header("content-type", "text/plain").body("help").send().await;
        assert_eq!(text.expect("answer").status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        // the broken one is kept once
        let held = intake::quarantine(&fresh.store, false, 10).await.expect("quarantine");
        assert_eq!(held.len(), 2);
        assert_eq!(desk.count("ticket").await, 0);
        let supervisor = fresh.door("s", Role::Supervisor, desk.door.clock());
        let retried = supervisor.run(&Retry { id: held[0].id }).await.expect("retry");
        assert_eq!(retried.value["state"], "held");
        supervisor.run(&Discard { id: held[0].id }).await.expect("discard");
        assert!(supervisor.run(&Discard { id: held[0].id }).await.is_err(), "somebody was first");
    }

    async fn a_date_that_nobody_can_believe_is_refused_at_once(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        for at in ["0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            let body = json!({"title": "x", "reporter": {"id": "a"}, "reported_at": at});
            let started = std::time::Instant::now();
            let (status, problem) = json_of(desk.report(None, &body).await).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(problem["errors"][0]["pointer"], "/reported_at");
            assert!(started.elapsed() < std::time::Duration::from_secs(5));
        }
        assert_eq!(desk.count("ticket").await, 0);
    }

    async fn a_reporter_sees_only_what_its_source_reported(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let id = json_of(desk.report(None, &report()).await).await.1["id"].as_i64().expect("id");
        let operator = fresh.door("li", Role::Operator, desk.door.clock());
        operator.run(&Change::new(id, What::Note("内部".into()))).await.expect("note");
        operator.run(&Change::new(id, What::Reply("正在处理".into()))).await.expect("reply");
        let text = json!({"text": "还是不行"});
        let sent = desk.post(&format!("/api/v1/tickets/{id}/messages")).header("Idempotency-Key", "m1").json(&text);
        assert_eq!(sent.send().await.expect("answer").status(), StatusCode::CREATED);
        let get = |token: &str| desk.client.get(format!("{}/api/v1/tickets/{id}", desk.url)).bearer_auth(token).send();
        let (status, view) = json_of(get(&desk.token).await.expect("answer")).await;
        assert_eq!((status, &view["title"]), (StatusCode::OK, &json!("审批提交后一直转圈")));
        let said: Vec<_> = view["messages"].as_array().expect("messages").iter().map(|m| m["text"].clone()).collect();
        assert_eq!(said, ["正在处理", "还是不行"]);
        assert_eq!(view["messages"][1]["from"], "reporter");
        let other = token(&fresh, desk.door.clock(), "portal", TokenKind::Api).await;
        assert_eq!(get(&other).await.expect("answer").status(), StatusCode::NOT_FOUND);
        let rate = |score: i64| desk.post(&format!("/api/v1/tickets/{id}/satisfaction")).json(&json!({"score": score})).send();
        assert_eq!(rate(5).await.expect("answer").status(), StatusCode::CONFLICT, "not resolved yet");
        let solve = What::Resolve { cause: "缓存".into(), solution: "重启".into() };
        operator.run(&Change::new(id, solve)).await.expect("resolve");
        assert_eq!(rate(6).await.expect("answer").status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(rate(5).await.expect("answer").status(), StatusCode::CREATED);
        assert_eq!(rate(1).await.expect("answer").status(), StatusCode::CONFLICT);
        assert_eq!(json_of(get(&desk.token).await.expect("answer")).await.1["satisfaction"], 5);
        desk.report(None, &report()).await;
        operator.run(&Change::new(2, What::Resolve { cause: "x".into(), solution: "y".into() })).await.expect("resolve");
        let now = desk.door.clock().now();
        let summary = zhiban::intake::satisfaction::summary(&fresh.store, now - 1, now + 1).await.expect("summary");
        assert_eq!((summary.asked, summary.answered, summary.average, summary.rate()), (2, 1, Some(5.0), Some(0.5)));
    }

    async fn tokens_are_asked_for_and_can_be_revoked(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let send = |token: Option<&str>| {
            let request = desk.client.post(format!("{}/api/v1/tickets", desk.url)).json(&report());
            match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            }
            .send()
        };
        let none = send(None).await.expect("answer");
        assert_eq!((none.status(), none.headers()["www-authenticate"].as_bytes()), (StatusCode::UNAUTHORIZED, &b"Bearer"[..]));
        assert_eq!(send(Some("zhb_guess")).await.expect("answer").status(), StatusCode::UNAUTHORIZED);
        let alerts = token(&fresh, desk.door.clock(), "am", TokenKind::Alertmanager).await;
        assert_eq!(send(Some(&alerts)).await.expect("answer").status(), StatusCode::FORBIDDEN);
        let admin = fresh.door("root", Role::Admin, desk.door.clock());
        let id = intake::tokens(&fresh.store).await.expect("tokens")[0].id;
        admin.run(&Revoke { id }).await.expect("revoke");
        assert!(admin.run(&Revoke { id }).await.is_err());
        // not looked up before: refused at once
        assert_eq!(send(Some(&desk.token)).await.expect("answer").status(), StatusCode::UNAUTHORIZED);
        let rows = zhiban::journal::page(&fresh.store, 0, 100).await.expect("journal");
        assert!(rows.iter().all(|r| !r.entry.detail.contains("zhb_")), "a secret in the journal");
    }

    async fn wrong_tokens_are_limited_by_address_and_kind_and_who_was_known_is_not(fresh: Fresh) {
        let desk = desk(&fresh, Serve { wrong_tokens: 3, ..Serve::default() }).await;
        assert_eq!(desk.report(None, &report()).await.status(), StatusCode::CREATED);
        let guess = async |path: &str, token: &str| {
            desk.client.post(format!("{}{path}", desk.url)).bearer_auth(token).json(&report()).send().await.expect("answer")
        };
        for i in 0..3 {
            let wrong = guess("/api/v1/tickets", &format!("zhb_{i}")).await;
            assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
        }
        let refused = guess("/api/v1/tickets", "zhb_again").await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=20).contains(&wait), "three a minute: {wait}");
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        // the right token goes on from the same address, and another kind has a count of its own
        assert_eq!(desk.report(None, &report()).await.status(), StatusCode::CREATED);
        let other = guess("/api/v1/alerts/alertmanager", "zhb_x").await;
        assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
        // one that was made meanwhile waits as a stranger does
        let fresh_token = token(&fresh, desk.door.clock(), "new", TokenKind::Api).await;
        assert_eq!(guess("/api/v1/tickets", &fresh_token).await.status(), StatusCode::TOO_MANY_REQUESTS);
    }

    async fn a_full_quarantine_sends_its_source_away_and_keeps_what_it_has(fresh: Fresh) {
        let desk = desk(&fresh, Serve { quarantine_items: 2, ..Serve::default() }).await;
        let garbage = async |n: usize| {
            let sent = desk.post("/api/v1/tickets").header("content-type", "application/json").body(format!("{{oops {n}"));
            sent.send().await.expect("answer")
        };
        for n in [1, 2, 2] {
            assert_eq!(garbage(n).await.status(), StatusCode::BAD_REQUEST, "the same again takes no room");
        }
        let full = garbage(3).await;
        assert_eq!((full.status(), full.headers()["retry-after"].as_bytes()), (StatusCode::SERVICE_UNAVAILABLE, &b"60"[..]));
        assert_eq!(desk.report(None, &report()).await.status(), StatusCode::CREATED, "what is understood goes on");
        // another source has room of its own
        let other = token(&fresh, desk.door.clock(), "portal", TokenKind::Api).await;
        let sent = desk.client.post(format!("{}/api/v1/tickets", desk.url)).bearer_auth(other);
        let sent = sent.header("content-type", "application/json").body("{oops").send().await.expect("answer");
        assert_eq!(sent.status(), StatusCode::BAD_REQUEST);
        let held = intake::quarantine(&fresh.store, false, 9).await.expect("quarantine");
        assert_eq!(held.iter().map(|h| h.source.as_str()).collect::<Vec<_>>(), ["portal", "oa", "oa"]);
        let supervisor = fresh.door("boss", Role::Supervisor, desk.door.clock());
        supervisor.run(&Discard { id: held[2].id }).await.expect("discard");
        assert_eq!(garbage(3).await.status(), StatusCode::BAD_REQUEST, "there is room again");
    }

    async fn a_mail_without_room_in_quarantine_is_left_where_it_is(fresh: Fresh) {
        let desk = desk(&fresh, Serve { quarantine_items: 1, ..Serve::default() }).await;
        let mailbox = zhiban::config::Mailbox {
            name: "desk".into(), secret: zhiban::config::Secret::new("key"), ..Default::default()
        };
        let take = async |n: usize, auto: &str| {
            let mail = format!("From: a@example.com\r\nMessage-ID: <{n}@example.com>\r\nSubject: s\r\n{auto}\r\ntext {n}\r\n");
            zhiban::intake::mail::jobs::take(&desk.door, &mailbox, mail.as_bytes()).await.expect("taken")
        };
        let automatic = "Auto-Submitted: auto-replied\r\n";
        assert!(take(1, automatic).await);
        assert!(!take(2, automatic).await, "no room");
        assert!(take(3, "").await, "those behind it are taken");
        assert_eq!((desk.count("quarantine").await, desk.count("ticket").await), (1, 1));
    }

    async fn limits_of_size_and_rate_hold(fresh: Fresh) {
        let limits = Serve { body_limit: 1_024, rate: 1, burst: 3, read_timeout: Dur(1_000), ..Serve::default() };
        let desk = desk(&fresh, limits).await;
        let mut large = report();
        large["body"] = json!("大".repeat(2_000));
        assert_eq!(desk.report(None, &large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let mut last = desk.report(None, &report()).await;
        for _ in 0..4 {
            last = desk.report(None, &report()).await;
        }
        assert_eq!(last.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(last.headers().contains_key("retry-after"));
        let alive = desk.client.get(format!("{}/healthz", desk.url)).send().await.expect("answer");
        assert_eq!(alive.status(), StatusCode::OK);
        let missing = desk.client.get(format!("{}/api/v2", desk.url)).send().await.expect("answer");
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        let method = desk.client.delete(format!("{}/api/v1/tickets", desk.url)).send().await.expect("answer");
        assert_eq!(method.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

/// What Alertmanager sends of a group: status and instance of each alert.
fn alerts(key: &str, severity: &str, alerts: &[(&str, &str)]) -> Value {
    let status = if alerts.iter().all(|(s, _)| *s == "resolved") { "resolved" } else { "firing" };
    let each: Vec<Value> = alerts
        .iter()
        .map(|(status, instance)| {
            json!({"status": status, "labels": {"alertname": "DiskFull", "severity": severity, "instance": instance},
                "annotations": {"summary": format!("{instance} disk 95 %")}, "startsAt": "2026-11-24T00:50:00Z",
                "endsAt": if *status == "resolved" { "2026-11-24T00:59:00Z" } else { "0001-01-01T00:00:00Z" },
                "generatorURL": "http://prometheus", "fingerprint": format!("fp-{instance}")})
        })
        .collect();
    json!({"version": "4", "groupKey": key, "truncatedAlerts": 0, "status": status, "receiver": "zhiban",
        "groupLabels": {"alertname": "DiskFull"}, "commonLabels": {"alertname": "DiskFull", "severity": severity},
        "commonAnnotations": {}, "externalURL": "http://alertmanager", "alerts": each})
}

on_both! {
    async fn alerts_of_a_group_are_one_ticket_that_nobody_closes_behind_your_back(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let token = token(&fresh, desk.door.clock(), "prod", TokenKind::Alertmanager).await;
        let send = async |body: Value| {
            let url = format!("{}/api/v1/alerts/alertmanager", desk.url);
            let answer = desk.client.post(url).bearer_auth(&token).json(&body).send().await.expect("answer");
            json_of(answer).await
        };
        let (status, first) = send(alerts("g1", "warning", &[("firing", "a"), ("firing", "b")])).await;
        assert_eq!((status, first["tickets"].as_array().expect("tickets").len()), (StatusCode::OK, 1));
        let id = first["tickets"][0]["id"].as_i64().expect("id");
        let rows = desk.count("journal").await;
        // told again: counted, not decided
        send(alerts("g1", "warning", &[("firing", "a"), ("firing", "b")])).await;
        assert_eq!((desk.count("ticket").await, desk.count("alert").await, desk.count("journal").await), (1, 2, rows));
        // a third host joins, and it gets worse
        send(alerts("g1", "critical", &[("firing", "c")])).await;
        let t = zhiban::tickets::store::get(&fresh.store, id).await.expect("get").expect("ticket");
        assert_eq!((t.level.as_str(), t.reports, t.reported_at), ("urgent", 2, 1_795_481_400_000));
        // all over: marked, not closed
        send(alerts("g1", "critical", &[("resolved", "a"), ("resolved", "b"), ("resolved", "c")])).await;
        let t = zhiban::tickets::store::get(&fresh.store, id).await.expect("get").expect("ticket");
        assert_eq!((t.is_open(), t.flag.as_deref()), (true, Some("recovered")));
        // somebody closes it; the next occurrence is a new ticket that names the old one
        let operator = fresh.door("li", Role::Operator, desk.door.clock());
        let solve = What::Resolve { cause: "日志".into(), solution: "清理".into() };
        operator.run(&Change::new(id, solve)).await.expect("resolve");
        send(alerts("g1", "critical", &[("resolved", "a")])).await;
        assert_eq!(desk.count("ticket").await, 1);
        let mut again = alerts("g1", "critical", &[("firing", "a")]);
        again["alerts"][0]["startsAt"] = json!("2026-11-24T01:00:00Z");
        let (_, next) = send(again).await;
        let next = next["tickets"][0]["id"].as_i64().expect("id");
        assert_ne!(next, id);
        let past = zhiban::tickets::store::happenings(&fresh.store, next).await.expect("past");
        assert!(past.iter().any(|h| h.kind == "linked" && h.data["subject"] == format!("#{id}")));
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn what_comes_and_goes_is_told_as_flapping_once(fresh: Fresh) {
        let desk = desk(&fresh, Serve::default()).await;
        let token = token(&fresh, desk.door.clock(), "prod", TokenKind::Alertmanager).await;
        let url = format!("{}/api/v1/alerts/alertmanager", desk.url);
        for i in 0..12 {
            let status = if i % 2 == 0 { "firing" } else { "resolved" };
            let mut body = alerts("g1", "warning", &[(status, "a")]);
            body["alerts"][0]["startsAt"] = json!(format!("2026-11-24T00:{:02}:00Z", 30 + i / 2));
            desk.door.clock().set(desk.door.clock().now() + 60_000);
            let sent = desk.client.post(&url).bearer_auth(&token).json(&body).send().await.expect("answer");
            assert_eq!(sent.status(), StatusCode::OK);
        }
        let past = zhiban::tickets::store::happenings(&fresh.store, 1).await.expect("past");
        let told: Vec<_> = past.iter().filter(|h| h.kind == "alert").map(|h| h.data["state"].clone()).collect();
        assert_eq!(told, ["recovered", "firing", "flapping"]);
        assert_eq!((desk.count("ticket").await, desk.count("alert").await), (1, 6));
    }

    async fn any_json_is_an_alert_by_a_mapping_and_a_silent_sender_is_told_once(fresh: Fresh) {
        let hook = zhiban::config::Webhook { name: "zabbix".into(), items: "/events".into(), ..Default::default() };
        let desk = desk(&fresh, Serve { webhooks: vec![hook], ..Serve::default() }).await;
        let hook = token(&fresh, desk.door.clock(), "zbx", TokenKind::Webhook).await;
        let send = async |path: &str, token: &str, body: Value| {
            let url = format!("{}/api/v1/alerts/{path}", desk.url);
            desk.client.post(url).bearer_auth(token).json(&body).send().await.expect("answer").status()
        };
        let events = json!({"events": [{"id": 7, "title": "数据库连接数过高", "severity": "High", "status": "PROBLEM",
            "starts_at": 1_795_481_000, "host": "oa-db-1"}, {"id": "8", "title": "Tomcat down", "severity": "disaster"}]});
        assert_eq!(send("zabbix", &hook, events).await, StatusCode::OK);
        assert_eq!(desk.count("ticket").await, 2);
        let over = json!({"events": [{"id": 7, "title": "数据库连接数过高", "status": "OK", "starts_at": 1_795_481_000}]});
        assert_eq!(send("zabbix", &hook, over).await, StatusCode::OK);
        let t = zhiban::tickets::store::get(&fresh.store, 1).await.expect("get").expect("ticket");
        assert_eq!((t.level.as_str(), t.flag.as_deref()), ("important", Some("recovered")));
        assert_eq!(send("zabbix", &hook, json!({"events": [{"id": 1}]})).await, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(send("nagios", &hook, json!({})).await, StatusCode::NOT_FOUND);
        assert_eq!(intake::quarantine(&fresh.store, false, 9).await.expect("quarantine").len(), 1);

        let sender = token(&fresh, desk.door.clock(), "prod", TokenKind::Alertmanager).await;
        let mut alive = alerts("w", "none", &[("firing", "x")]);
        alive["commonLabels"]["alertname"] = json!("Watchdog");
        assert_eq!(send("alertmanager", &sender, alive).await, StatusCode::OK);
        assert_eq!(desk.count("ticket").await, 2, "a heartbeat is no ticket");
        use zhiban::action::Job as _;
        let watch = zhiban::intake::alerts::jobs::Watch;
        watch.run(&desk.door).await.expect("watch");
        desk.door.clock().set(desk.door.clock().now() + 11 * 60_000);
        watch.run(&desk.door).await.expect("watch");
        watch.run(&desk.door).await.expect("watch");
        assert_eq!(desk.count("ticket").await, 3);
    }
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let refused = Listener::bind("0.0.0.0:0", &Serve::default()).await.expect_err("refused");
    assert!(refused.contains("plain_http"), "{refused}");
    let forced = Serve { plain_http: true, ..Serve::default() };
    let listener = Listener::bind("0.0.0.0:0", &forced).await.expect("forced");
    assert!(!listener.finding().is_empty(), "it is shown as a finding");
}

#[tokio::test]
async fn a_request_that_drips_is_cut_off() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let desk = desk(&fresh, Serve { read_timeout: Dur(1_000), ..Serve::default() }).await;
    let address = desk.url.trim_start_matches("http://").to_owned();
    let mut head = tokio::net::TcpStream::connect(&address).await.expect("connect");
    head.write_all(b"POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\n").await.expect("write");
    let mut body = tokio::net::TcpStream::connect(&address).await.expect("connect");
    let start = format!(
        "POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 500\r\n\r\n{{\"title\"",
        desk.token
    );
    body.write_all(start.as_bytes()).await.expect("write");
    let mut said = String::new();
    let wait = std::time::Duration::from_secs(10);
    let mut rest = Vec::new();
    tokio::time::timeout(wait, head.read_to_end(&mut rest)).await.expect("closed in time").expect("read");
    tokio::time::timeout(wait, async {
        let mut some = [0; 512];
        while !said.contains("\r\n\r\n") {
            let n = body.read(&mut some).await.expect("read");
            assert!(n > 0, "closed without an answer: {said}");
            said.push_str(&String::from_utf8_lossy(&some[..n]));
        }
    })
    .await
    .expect("answered in time");
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert_eq!(desk.count("ticket").await, 0);
}
