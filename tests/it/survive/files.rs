//! Files from outside that are not what they should be: named by line, nothing taken, no panic; GBK read correctly.

use crate::program::Home;

/// A line of five thousand cases, for files that are merely long.
fn long_log() -> String {
    let mut log = String::from("case_id,activity,timestamp\n");
    for i in 0..20_000 {
        log += &format!("c{},step {},2026-01-{:02}T00:00:{:02}Z\n", i / 4, i % 4, 1 + i % 28, i % 60);
    }
    log
}

#[test]
fn what_is_wrong_with_a_file_is_named_by_its_line() {
    let home = Home::sqlite();
    let xes = |events: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<log>\n<trace><string key=\"concept:name\" value=\"1\"/>\n{events}</trace>\n</log>\n"
        )
    };
    let good = "<event><string key=\"concept:name\" value=\"a\"/><date key=\"time:timestamp\" value=\"2026-01-01T00:00:00Z\"/></event>\n";
    let bad_time = good.replace("2026-01-01T", "soon");
    let cases: &[(&str, Vec<u8>, &[&str], &str)] = &[
        ("truncated.xes", xes(good)[..150].into(), &["workflow", "import"], ":"),
        ("time.xes", xes(&format!("{good}{bad_time}")).into(), &["workflow", "import"], "line 5"),
        ("text.xes", "no xml at all".into(), &["workflow", "import"], "text.xes"),
        ("nothing.xes", Vec::new(), &["workflow", "import"], "nothing.xes"),
        ("not.xes.gz", "no gzip at all".into(), &["workflow", "import"], "not.xes.gz"),
        ("nothing.csv", Vec::new(), &["workflow", "import"], "nothing.csv"),
        ("columns.csv", "a,b,c\n1,2,3\n".into(), &["workflow", "import"], "columns.csv"),
        (
            "time.csv",
            "case_id,activity,timestamp\n1,a,2026-01-01T00:00:00Z\n1,b,soon\n".into(),
            &["workflow", "import"],
            "line 3",
        ),
        (
            "short.csv",
            "case_id,activity,timestamp\n1,a,2026-01-01T00:00:00Z\n1,b\n".into(),
            &["workflow", "import"],
            "line 3",
        ),
        ("noise.csv", (0..=255u8).cycle().take(100_000).collect(), &["workflow", "import"], "noise.csv"),
        (
            "truncated.json",
            "[{\"time\":\"2026-11-23T02:00:00Z\",".into(),
            &["backup", "import", "restic", "--system", "oa"],
            "truncated.json",
        ),
        ("other.json", "{\"what\": 1}".into(), &["backup", "import", "restic", "--system", "oa"], "other.json"),
        ("deep.json", "[".repeat(100_000).into(), &["backup", "import", "restic", "--system", "oa"], "deep.json"),
        (
            "borg.json",
            "{\"archives\": [{\"name\": 1}]}".into(),
            &["backup", "import", "borg", "--system", "oa"],
            "borg.json",
        ),
        ("pg.json", "[{\"name\": \"x\"".into(), &["backup", "import", "pgbackrest", "--system", "oa"], "pg.json"),
        ("cases.json", "{\"cases\": [{\"id\":".into(), &["sla", "eval"], "cases.json"),
    ];
    assert_eq!(home.run(&["backup", "system", "add", "oa", "--tool", "restic"]).code, 0);
    let rows = home.journal_rows();
    std::thread::scope(|scope| {
        for (name, bytes, command, says) in cases {
            let home = &home;
            scope.spawn(move || {
                let file = home.write(name, bytes);
                let mut args = command.to_vec();
                let at = args.iter().position(|a| *a == "--system").unwrap_or(args.len());
                args.insert(at, &file);
                let out = home.run(&args);
                assert_eq!(out.code, 2, "{name}: {out:?}");
                assert!(out.stderr.contains(name) && out.stderr.contains(says), "{name}: {out:?}");
                assert!(!out.stderr.contains("panicked") && out.stderr.len() < 20_000, "{name}: {out:?}");
            });
        }
    });
    assert_eq!(home.journal_rows(), rows, "nothing was taken");
    // a row of a directory or of a roster that cannot be read is named; the others count
    let ldif = home.write("bad.ldif", "dn: uid=a,dc=x\nuid: a\n\ndn: uid=b,dc=x\nuid:: !!!\n");
    let out = home.run(&["account", "import", &ldif, "--system", "oa"]);
    assert!(out.code == 0 && out.stderr.contains("line 4") && !out.stderr.contains("panicked"), "{out:?}");
    let hr = home.write("hr.csv", "person,name,department,position,status,hired_on,leaves_on\nE1,a,b,c,active,soon,\n");
    let out = home.run(&["account", "hr", &hr]);
    assert!(out.stderr.contains("line 2") && !out.stderr.contains("panicked"), "{out:?}");
}

#[test]
fn a_long_file_is_taken_and_a_file_in_gbk_is_read_as_it_was_meant() {
    let home = Home::sqlite();
    let long = home.write("long.csv", long_log());
    assert_eq!(home.json(&["workflow", "import", &long])["events"], 20_000);
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let log = home.write("gbk.csv", gbk("case_id,activity,timestamp,resource\n1,部门经理审批,2026-01-01 10:00:00,赵敏\n1,归档,2026-01-01 11:00:00,钱磊\n"));
    let stats = home.json(&["workflow", "analyze", &log]);
    let names: Vec<&str> =
        stats["activities"].as_array().expect("array").iter().filter_map(|a| a["name"].as_str()).collect();
    assert!(names.contains(&"部门经理审批") && names.contains(&"归档"), "{names:?}");
    let accounts = home.write(
        "gbk-accounts.csv",
        gbk("account,person,name,department,position,roles,permissions,enabled,created_at,last_login_at,kind,owner\n\
             赵敏,E0001,赵敏,财务部,会计,admin,,true,2020-03-01T09:00:00+08:00,2020-04-01T09:00:00+08:00,person,\n"),
    );
    home.json(&["account", "import", &accounts, "--system", "oa"]);
    let people = home.write("gbk-hr.csv", gbk("person,name,department,position,status,hired_on,leaves_on\nE0001,赵敏,财务部,会计,left,2019-01-01,2020-06-01\n"));
    home.json(&["account", "hr", &people]);
    let audit = home.run(&["account", "audit"]).stdout;
    assert!(audit.contains("赵敏") || home.run(&["account", "audit", "--json"]).stdout.contains("赵敏"), "{audit}");
}
