//! Knowledge: a folder taken in, questions answered, an incident that becomes a case.

use zhiban::action::Role;
use zhiban::clock::{Clock, DAY, parse_rfc3339};
use zhiban::console::testing::Driver;
use zhiban::knowledge::actions::{Answered, FromTicket, Import, SetState, Write};
use zhiban::knowledge::model::Article;
use zhiban::knowledge::review::{AddAction, Confirm, Draft, Publish, Save, Text};
use zhiban::knowledge::sources::read_folder;
use zhiban::knowledge::store;
use zhiban::tickets::actions::{Change, New, What};

use crate::on_both;

fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T09:00:00+08:00").expect("instant"))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("parent")).expect("folder");
        std::fs::write(file, text).expect("file");
    };
    write(
        "faq/login.md",
        "---\ntitle: 登录不了怎么办\ntags: 登录\n---\n清除浏览器缓存后重新登录 OA，仍不行请重置密码。\n",
    );
    write("faq/vpn.md", "# VPN guide\n\nInstall the client, then log in with your OA account.\n");
    write("print.md", "# 报销单打印\n\n报销单打印格式错位时，选择 A4 纸并关闭缩放。\n");
    write("bad.md", "---\nreview: soon\n---\nx\n");
    std::fs::write(folder.path().join("gbk.md"), b"\xc4\xe3\xba\xc3").expect("file");
    write("notes.txt", "not an article");
    folder
}

on_both! {
    async fn a_folder_is_taken_in_once_and_again_when_it_changes(fresh: Fresh) {
        let folder = folder();
        let door = fresh.door("li", Role::Operator, &clock());
        let import = async || {
            let (articles, refused) = read_folder(folder.path()).expect("folder");
            assert_eq!(refused.len(), 2, "{refused:?}");
            door.run(&Import { articles, folder: "kb".into() }).await.expect("import")
        };
        assert_eq!(import().await.value, serde_json::json!({"added": 3, "changed": 0, "unchanged": 0}));
        assert_eq!(import().await.seq, None, "nothing changed");
        std::fs::write(folder.path().join("print.md"), "# 报销单打印\n\n请用 A4 纸。\n").expect("file");
        assert_eq!(import().await.value["changed"], 1);
        let all = store::list(&fresh.store, false, 10).await.expect("list");
        let print = all.iter().find(|a| a.title == "报销单打印").expect("article");
        assert_eq!((print.version, store::versions(&fresh.store, print.id).await.expect("versions").len()), (2, 2));
        let ids = async |q: &str| -> Vec<String> {
            let hits = store::search(&fresh.store, q, 10).await.expect("search");
            hits.into_iter().map(|h| h.title).collect()
        };
        assert_eq!(ids("格式错位").await, [""; 0], "the old version is not found any more");
        assert_eq!(ids("登录").await, ["登录不了怎么办"]);
        assert_eq!(ids("VPN client").await, ["VPN guide"]);
        assert_eq!(ids("打印 登录").await.len(), 2, "no article has both: those with one");
        assert_eq!(ids("VPN guid").await, ["VPN guide"], "cut short");
        let hit = &store::search(&fresh.store, "缓存", 1).await.expect("search")[0];
        assert!(hit.snippet.contains("**缓存**") && hit.score > 0.0, "{hit:?}");
        assert!(store::search(&fresh.store, "\" ' | & ( *", 5).await.expect("search").is_empty());
    }

    async fn an_article_that_answered_is_counted_and_linked(fresh: Fresh) {
        let folder = folder();
        let door = fresh.door("li", Role::Operator, &clock());
        let (articles, _) = read_folder(folder.path()).expect("folder");
        door.run(&Import { articles, folder: "kb".into() }).await.expect("import");
        let new = New {
            title: "登录不了".into(),
            scope: "individual".into(),
            severity: "general".into(),
            channel: "phone".into(),
            reporter: "李雷".into(),
            ..New::default()
        };
        door.run(&new).await.expect("new");
        door.run(&Answered { article: 1, ticket: 1 }).await.expect("answered");
        assert!(door.run(&Answered { article: 99, ticket: 1 }).await.is_err());
        assert!(door.run(&Answered { article: 1, ticket: 99 }).await.is_err());
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("article").answered, 1);
    }

    async fn a_review_is_drafted_confirmed_by_another_and_published_as_a_case(fresh: Fresh) {
        let clock = clock();
        let author = fresh.door("li", Role::Operator, &clock);
        let boss = fresh.door("wang", Role::Supervisor, &clock);
        let new = New {
            title: "全公司无法提交审批".into(),
            scope: "company".into(),
            severity: "urgent".into(),
            channel: "phone".into(),
            reporter: "张敏".into(),
            ..New::default()
        };
        author.run(&new).await.expect("new");
        assert!(author.run(&Draft { ticket: 1 }).await.is_err(), "not resolved");
        let solve = What::Resolve { cause: "连接池耗尽".into(), solution: "扩容连接池".into() };
        author.run(&Change::new(1, solve)).await.expect("resolve");
        let needed = store::unreviewed(&fresh.store, &["urgent".into()], 10).await.expect("unreviewed");
        assert_eq!(needed.len(), 1);
        author.run(&Draft { ticket: 1 }).await.expect("draft");
        assert!(author.run(&Draft { ticket: 1 }).await.is_err(), "there is one");
        assert!(boss.run(&Confirm { ticket: 1 }).await.expect_err("incomplete").to_string().contains("helped"));
        let text = Text { helped: Some("监控连接数告警".into()), ..Text::default() };
        let saved = author.run(&Save { ticket: 1, text, seen: Some(1) }).await.expect("save");
        assert!(author.run(&Save { ticket: 1, text: Text::default(), seen: Some(1) }).await.is_err(), "changed since");
        assert!(saved.undo.is_some());
        let action = |due| AddAction { ticket: 1, title: "连接数告警".into(), owner: "chen".into(), due };
        assert!(author.run(&action(0)).await.is_err(), "the date has passed");
        author.run(&action(clock.now() + 7 * DAY)).await.expect("action");
        assert!(author.run(&Confirm { ticket: 1 }).await.is_err(), "not by its author");
        assert!(boss.run(&Publish { ticket: 1 }).await.is_err(), "not confirmed");
        boss.run(&Confirm { ticket: 1 }).await.expect("confirm");
        let published = boss.run(&Publish { ticket: 1 }).await.expect("publish");
        assert_eq!(published.value["state"], "published");
        assert!(author.run(&Save { ticket: 1, text: Text::default(), seen: None }).await.is_err());
        let hits = store::search(&fresh.store, "连接池耗尽", 5).await.expect("search");
        assert_eq!(hits[0].title, "全公司无法提交审批");
        let action = zhiban::tickets::store::get(&fresh.store, 2).await.expect("get").expect("the action's ticket");
        assert_eq!(action.owner.as_deref(), Some("chen"));
        assert!(store::unreviewed(&fresh.store, &["urgent".into()], 10).await.expect("unreviewed").is_empty());
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn what_may_help_is_offered_read_and_answered_with(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        let article = |title: &str, body: &str, state: &str| Article {
            kind: "article".into(), title: title.into(), body: body.into(), audience: "staff".into(), state: state.into(),
            version: 1, ..Article::default()
        };
        for (title, body, state) in [
            ("打印机卡纸怎么办", "# 处理\n\n1. 先**断电**\n2. 取出卡纸\n\n```\nlpstat -t\n```", "published"),
            ("打印机卡纸草稿", "还没写完", "draft"),
            ("差旅报销流程", "如何填写", "published"),
        ] {
            door.run(&Write { article: article(title, body, state), seen: None }).await.expect("write");
        }
        let new = |title: &str| New {
            title: title.into(), scope: "individual".into(), severity: "general".into(), channel: "phone".into(),
            reporter: "李雷".into(), body: "三楼那台".into(), ..New::default()
        };
        door.run(&new("三楼打印机卡纸")).await.expect("new");
        let solve = What::Resolve { cause: "滚轮磨损".into(), solution: "更换滚轮".into() };
        door.run(&Change::new(1, solve)).await.expect("resolve");
        door.run(&new("五楼打印机卡纸")).await.expect("new");
        let titles = |text: &'static str| {
            let s = fresh.store.clone();
            async move { store::offered(&s, text, 3).await.expect("offered").iter().map(|a| a.title.clone()).collect::<Vec<_>>() }
        };
        assert_eq!(titles("五楼打印机卡纸").await, ["打印机卡纸怎么办"], "no draft, nothing else");
        assert!(titles("报表导出超时").await.is_empty());

        let tabs = zhiban::console::all_tabs(&zhiban::config::Config::default().into(), "wang");
        let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
        let mut d = Driver::new(tabs, Some(fresh.door("wang", Role::Operator, &clock)), clock.now(), None);
        d.size = (140, 40);
        d.settle().await;
        d.keys("f").await;
        assert!(!d.screen().contains("KB1"), "not before the cursor has rested");
        d.pass(300).await;
        assert!(d.screen().contains("KB1 打印机卡纸怎么办") && d.screen().contains("更换滚轮"), "{}", d.screen());
        let idle = d.sleeps();
        assert!(idle > 300, "asked once, not again and again: {idle}");
        d.keys("f enter").await;
        let read = d.screen();
        assert!(read.contains("1. 先断电") && read.contains("│ lpstat -t") && !read.contains("**"), "{read}");
        d.keys("r").await;
        assert!(d.screen().contains("（KB1 打印机卡纸怎么办）"), "{}", d.screen());
        d.keys("ctrl-s").await;
        let tickets = zhiban::tickets::store::happenings(&fresh.store, 2).await.expect("past");
        assert!(tickets.iter().any(|h| h.kind == "reply" && h.data["text"].as_str().expect("text").contains("KB1")));
        assert!(tickets.iter().any(|h| h.kind == "linked" && h.data["snapshot"]["relation"] == "answered_by"));
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("article").answered, 1);
        d.keys("u").await;
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("article").answered, 0, "{}", d.screen());
    }

    async fn a_solved_ticket_becomes_one_article(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        let new = New {
            title: "VPN 无法连接".into(), body: "报错 809".into(), scope: "individual".into(), severity: "general".into(),
            channel: "phone".into(), reporter: "李雷".into(), ..New::default()
        };
        door.run(&new).await.expect("new");
        assert!(door.run(&FromTicket { ticket: 1 }).await.is_err(), "not solved");
        assert!(door.run(&FromTicket { ticket: 9 }).await.is_err());
        let solve = What::Resolve { cause: "证书过期".into(), solution: "更换证书".into() };
        door.run(&Change::new(1, solve)).await.expect("resolve");
        let made = door.run(&FromTicket { ticket: 1 }).await.expect("article");
        let a = store::get(&fresh.store, made.value["id"].as_i64().expect("id")).await.expect("get").expect("there");
        assert_eq!((a.state.as_str(), a.ticket_id, a.title.as_str()), ("draft", Some(1), "VPN 无法连接"));
        for part in ["报错 809", "证书过期", "更换证书", "#1"] {
            assert!(a.body.contains(part), "{part}: {}", a.body);
        }
        assert!(door.run(&FromTicket { ticket: 1 }).await.is_err(), "there is one");
        door.run(&SetState { id: a.id, state: "published".into() }).await.expect("published");
        assert!(door.run(&SetState { id: a.id, state: "x".into() }).await.is_err());
        assert_eq!(store::offered(&fresh.store, "VPN 无法连接", 3).await.expect("offered").len(), 1);
        // taken back it is put away, and another can be made: by the key, in the form
        door.run(made.undo.expect("undo").as_ref()).await.expect_err("changed since");
        door.run(&SetState { id: a.id, state: "archived".into() }).await.expect("archived");
        let tabs = zhiban::console::all_tabs(&zhiban::config::Config::default().into(), "wang");
        let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
        let mut d = Driver::new(tabs, Some(fresh.door("wang", Role::Operator, &clock)), clock.now(), None);
        d.settle().await;
        d.keys("/ \"state:resolved\" enter K").await;
        assert!(d.screen().contains("VPN 无法连接") && d.screen().contains("证书过期"), "{}", d.screen());
        d.keys("ctrl-s").await;
        let all = store::list(&fresh.store, false, 9).await.expect("list");
        assert_eq!((all.len(), all[0].state.as_str(), all[0].ticket_id), (1, "draft", Some(1)), "{}", d.screen());
    }
}
