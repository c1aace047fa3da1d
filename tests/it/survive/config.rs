//! A wrong configuration is refused with file, line, column, reason and the nearest right name.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::Home;

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, place, says) in [
        ("[ui]\nthem = \"dark\"\n", ":2:1", "did you mean `theme`"),
        ("[stor]\nurl = \"\"\n", ":1:2", "did you mean `store`"),
        ("[ui]\nmouse = \"yes\"\n", ":2:9", "boolean"),
        ("[log]\nkeep = -1\n", ":2:8", "u16"),
        ("[log]\nlevel = \"loud\"\n", ":2:9", "loud"),
        ("[health]\ninterval = \"soon\"\n", ":2:12", "is no duration"),
        ("[health]\ninterval = \"1ms\"\n", ":2:1", "health.interval"),
        ("[ui]\nlang = \"fr\"\n", ":2:1", "one of auto, zh"),
        ("[ui]\nzone = \"Mars/Base\"\n", ":2:1", "Asia/Shanghai"),
        ("[ui]\nlang = \"zh\"\nlang = \"en\"\n", ":3:1", "duplicate"),
        ("[ui\n", ":1:", "]"),
        ("[keys]\nglobal = { \"ctrl-k\" = \"pallete\" }\n", ":2:", "palette"),
        ("[keys.global]\n\"ctrl-k\" = \"palette\"\n\"ctrl-k\" = \"help\"\n", ":3:1", "duplicate"),
        ("[keys.global]\n\"no such key\" = \"help\"\n", ":2:1", "is no key"),
        ("[keys.tickets]\n\"g\" = \"claim\"\n", ":2:1", "also bound"),
        ("[keys.globel]\n\"x\" = \"help\"\n", ":", "no tab"),
    ] {
        let home = Home::sqlite();
        let file = home.write("config/zhiban/config.toml", text);
        let out = home.run(&["config", "check"]);
        assert_eq!(out.code, 2, "{text}: {out:?}");
        assert!(out.stderr.contains(&format!("{file}{place}")) && out.stderr.contains(says), "{text}: {out:?}");
        let json = home.run(&["config", "check", "--json"]);
        assert_eq!(json.error()["exit_code"], 2);
        assert!(!home.path("z.db").exists(), "nothing was opened");
    }
}

#[test]
fn every_problem_is_named_at_once_and_a_missing_or_foreign_file_too() {
    let home = Home::sqlite();
    home.write("config/zhiban/config.toml", "[ui]\nlang = \"fr\"\ncolor = \"pink\"\nglyphs = \"runes\"\n");
    let out = home.run(&["ticket", "list"]);
    assert_eq!((out.code, out.stderr.lines().count()), (2, 3), "{out:?}");
    let out = home.run(&["ticket", "list", "--config", "/nowhere/at-all.toml"]);
    assert!(out.code == 2 && out.stderr.contains("/nowhere/at-all.toml"), "{out:?}");
    let gbk = home.write("gbk.toml", b"[ui]\n# \xd6\xb5\xb0\xe0\n");
    let out = home.run(&["config", "check", "--config", &gbk]);
    assert!(out.code == 2 && out.stderr.contains("gbk.toml:2:1") && out.stderr.contains("UTF-8"), "{out:?}");
    let hostile = home.write("bad.toml", "[ui]\n\"a\\u001b[2J\\u202eb\" = 1\n");
    let out = home.run(&["config", "check", "--config", &hostile]);
    assert!(out.code == 2 && !out.stderr.contains(['\u{1b}', '\u{202e}']), "{out:?}");
}

#[test]
fn a_theme_that_cannot_be_is_named() {
    let home = Home::sqlite();
    home.write("config/zhiban/config.toml", "[ui]\ntheme = \"drak\"\n");
    let mut pty = crate::pty::Pty::open(&home, (160, 30), &[]);
    assert_ne!(pty.ended(std::time::Duration::from_secs(20)), 0);
    crate::program::eventually("the sentence", std::time::Duration::from_secs(2), || {
        pty.screen().contains("drak").then_some(())
    });
    let out = home.run(&["config", "check"]);
    assert!(out.code == 2 && out.stderr.contains(":2:1") && out.stderr.contains("dark"), "{out:?}");
    // a theme of one's own: its file, line and column
    home.write("config/zhiban/config.toml", "[ui]\ntheme = \"mine\"\n");
    for (theme, wanted) in [
        ("text = \"#12\"\n", "mine.toml:1:8"),
        ("selection = { bg = \"#12\" }\n", "mine.toml:2:1: not there: text"),
        ("slection = {}\n", "mine.toml:1:1: unknown name `slection`; did you mean `selection`"),
        (
            &include_str!("../../../themes/dark.toml")
                .replace("text = { fg = \"#c8ccd4\"", "text = { fg = \"#c8ccdz\""),
            "mine.toml:2:15",
        ),
    ] {
        home.write("config/zhiban/themes/mine.toml", theme);
        let out = home.run(&["config", "check"]);
        assert!(out.code == 2 && out.stderr.contains(wanted), "{wanted}: {out:?}");
    }
    home.write("config/zhiban/themes/mine.toml", include_str!("../../../themes/light.toml"));
    assert_eq!(home.run(&["config", "check"]).code, 0);
}

#[test]
fn a_password_is_never_shown_and_an_open_file_is_warned_of() {
    let home = Home::with("");
    let secret = "s3cr3t-of-the-night";
    let file = home.write(
        "config/zhiban/config.toml",
        format!(
            "[store]\nurl = \"postgres://oa:{secret}@127.0.0.1:9/z\"\n[[backups.system]]\nname = \"oa\"\ntool = \"restic\"\n\
             repository = \"/r\"\npassword = \"{secret}\"\nenv = {{ KEY = \"{secret}\" }}\n"
        ),
    );
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode");
    mode(0o644);
    let mut seen = String::new();
    for args in [
        &["config", "check"][..],
        &["config", "show"],
        &["config", "show", "--json"],
        &["store", "info"],
        &["ticket", "new", "--title", "x", "--json"],
        &["journal", "list"],
        &["ticket", "list", "--store", &format!("postgres://oa:{secret}@127.0.0.1:9/z?sslmode=nonsense")],
        &["ticket", "list", "--store", &format!("mysql://oa:{secret}@db/z")],
        &["ticket", "list", "--store", &format!("postgres://oa:{secret}/z")],
    ] {
        let out = home.run(args);
        assert!(out.stderr.contains("chmod 600") && out.stderr.contains(&file), "warned: {out:?}");
        seen += &format!("{args:?}: {}{}", out.stdout, out.stderr).replace(&format!("{args:?}"), "");
    }
    assert!(!seen.contains("s3cr3t"), "{seen}");
    assert!(seen.contains("oa@127.0.0.1:9"), "the rest of the address is shown: {seen}");
    mode(0o600);
    assert!(!home.run(&["config", "check"]).stderr.contains("chmod"), "nothing to warn of");
    // by reference nothing needs hiding
    mode(0o644);
    let kept = home.write("pw", "sqlite:///nowhere");
    home.write("config/zhiban/config.toml", format!("[store]\nurl = \"file:{kept}\"\n"));
    let out = home.run(&["config", "show", "--json"]);
    assert_eq!(out.json()["store"]["url"], format!("file:{kept}"));
    assert!(out.stderr.is_empty(), "{out:?}");
    home.write("config/zhiban/config.toml", "[store]\nurl = \"env:NOT_SET_AT_ALL\"\n");
    let out = home.run(&["ticket", "list"]);
    assert!(out.code == 2 && out.stderr.contains("NOT_SET_AT_ALL"), "{out:?}");
}
