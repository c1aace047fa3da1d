//! Knowledge: a folder taken in, questions answered, an incident that becomes a case.

use zhiban::action::Role;
use zhiban::clock::{Clock, DAY, parse_rfc3339};
use zhiban::knowledge::actions::{Answered, Import};
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
}
