use std::collections::BTreeMap;

use chrono_tz::Asia::Shanghai;

use super::*;

fn csv(text: &str) -> AccountFile {
    accounts_csv(text.as_bytes(), "oa", &BTreeMap::new(), Shanghai).expect("read")
}

#[test]
fn a_gbk_file_is_read_and_a_bad_row_is_set_aside_with_its_line() {
    let text = "account,person,name,enabled\nzhao,E1,赵敏,true\nqian,E2,钱磊,maybe\nsun,E3\n,,,\nzhao,E9,赵四,true\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let file = accounts_csv(&gbk, "oa", &BTreeMap::new(), Shanghai).expect("read");
    assert_eq!(file.accounts.len(), 1);
    assert_eq!(file.accounts[0].name, "赵敏");
    let bad: Vec<(u64, &str)> = file.bad.iter().map(|b| (b.line, b.key.as_str())).collect();
    assert_eq!(bad, [(3, "qian"), (4, "sun"), (6, "zhao")]);
}

#[test]
fn marks_separators_and_the_columns_of_others_are_understood() {
    let one = |bytes: &[u8], columns: &BTreeMap<String, String>| {
        accounts_csv(bytes, "oa", columns, Shanghai).expect("read").accounts.remove(0)
    };
    let none = BTreeMap::new();
    for text in ["\u{feff}account;enabled;roles\nzhao;是;\"a;b\"\n", "account\tenabled\troles\nzhao\t1\ta|b\n"] {
        assert_eq!(one(text.as_bytes(), &none).roles, ["a", "b"]);
    }
    let mut wide = vec![0xff, 0xfe];
    wide.extend("account,enabled\r\n赵敏,启用\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(one(&wide, &none).account, "赵敏");
    let theirs =
        BTreeMap::from([("account".to_owned(), "登录名".to_owned()), ("enabled".to_owned(), "状态".to_owned())]);
    assert_eq!(one("登录名,状态\nzhao,停用\n".as_bytes(), &theirs).account, "zhao");
    for text in ["login,enabled\n", "", "account,account\n"] {
        assert!(accounts_csv(text.as_bytes(), "oa", &none, Shanghai).is_err(), "{text:?}");
    }
}

#[test]
fn a_time_without_an_offset_is_the_companys() {
    let want = parse_rfc3339("2026-11-23T09:30:00+08:00").ok();
    for text in [
        "2026-11-23 09:30:00",
        "2026/11/23 09:30",
        "2026-11-23T09:30:00+08:00",
        "2026-11-23T01:30:00Z",
        "11/23/2026 09:30",
    ] {
        assert_eq!(instant(text, Shanghai), Ok(want), "{text}");
    }
    assert_eq!(instant("2026-11-23", Shanghai), Ok(parse_rfc3339("2026-11-22T16:00:00Z").ok()));
    assert!(instant("yesterday", Shanghai).is_err());
}

#[test]
fn a_file_says_which_figures_it_holds() {
    let file = csv("account,enabled,last_login_at,second_factor\nzhao,true,,\n");
    assert!(file.fields.iter().any(|f| f == "last_login_at"), "an empty column says that there was no login");
    assert!(!file.fields.iter().any(|f| f == "owner"));
}

#[test]
fn a_roster_keeps_its_bad_rows_apart() {
    let text =
        "person,name,status,leaves_on\nE1,赵敏,在职,\nE2,钱磊,left,2026/11/30\nE3,孙丽,retired,\n,周杰,active,\n";
    let file = roster(text.as_bytes()).expect("read");
    assert_eq!(file.people.len(), 2);
    assert_eq!(file.people[1].leaves_on, NaiveDate::from_ymd_opt(2026, 11, 30));
    assert_eq!(file.bad.iter().map(|b| b.line).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn ldif_folds_decodes_and_refuses_changes() {
    let text = "version: 1\n\n# zw\ndn: uid=zw,dc=oa\nuid: zw\ncn:: 5byg5Lyf\nemployeeNumber: E00\n 09\npwdLastSuccess: 20261123221432Z\n\n\
        dn: cn=vpn,dc=oa\nobjectClass: groupOfNames\ncn: vpn\nmember: uid=zw,dc=oa\n\n\
        dn: uid=bad,dc=oa\nuid: bad\ncn:: ***\n\nsearch: 2\nresult: 0 Success\n";
    let file = accounts_ldif(text.as_bytes(), "ldap").expect("read");
    let zw = &file.accounts[0];
    assert_eq!((zw.name.as_str(), zw.person.as_str(), zw.enabled), ("张伟", "E0009", true));
    assert_eq!(zw.last_login_at, parse_rfc3339("2026-11-23T22:14:32Z").ok());
    assert_eq!(zw.roles, ["vpn"]);
    assert_eq!(file.groups.len(), 1);
    assert_eq!(file.bad.iter().map(|b| (b.line, b.key.as_str())).collect::<Vec<_>>(), [(16, "bad")]);
    assert!(accounts_ldif(b"dn: x\nchangetype: modify\n", "ad").is_err());
    assert!(accounts_ldif(b"account,person\n", "ad").is_err());
}

#[test]
fn active_directory_writes_flags_and_ticks() {
    let text = "dn: CN=a\nsAMAccountName: a\nuserAccountControl: 66082\nlastLogonTimestamp: 133444700000000000\n\
        accountExpires: 9223372036854775807\npwdLastSet: 0\nwhenCreated: 20261123221645.0Z\nlockoutTime: 0\n\
        memberOf: CN=Domain Admins,CN=Users\n\n\
        dn: CN=b\nsAMAccountName: b\nuserAccountControl: 512\naccountExpires: 0\nlastLogon: 133444700010000000\n\
        lastLogonTimestamp: 133444700000000000\nmsDS-User-Account-Control-Computed: 16\n\n\
        dn: CN=c\nsAMAccountName: c\nuserAccountControl: soon\n";
    let file = accounts_ldif(text.as_bytes(), "ad").expect("read");
    let (a, b) = (&file.accounts[0], &file.accounts[1]);
    assert_eq!(
        (a.enabled, a.more.password_not_required, a.more.password_never_expires),
        (false, Some(true), Some(true))
    );
    assert_eq!(
        (a.more.expires_at, a.more.password_set_at, a.more.locked_at),
        (None, None, None),
        "never, must change, not locked"
    );
    assert_eq!(a.last_login_at, Some(1_699_996_400_000));
    assert!(a.more.login_lags && a.is_privileged(&crate::config::Accounts::default()));
    assert_eq!(a.created_at, parse_rfc3339("2026-11-23T22:16:45Z").ok());
    assert!(b.enabled && !b.more.login_lags, "this server's own login time is exact");
    assert_eq!((b.last_login_at, b.more.expires_at, b.more.locked_at), (Some(1_699_996_401_000), None, Some(0)));
    assert_eq!(file.bad.len(), 1);
}

#[test]
fn broken_files_never_panic() {
    let good = include_bytes!("../../../tests/fixtures/accounts/accounts.csv");
    for cut in 0..good.len() {
        _ = accounts_csv(&good[..cut], "oa", &BTreeMap::new(), Shanghai);
        _ = roster(&good[..cut]);
        _ = accounts_ldif(&good[cut..], "oa");
    }
    for bytes in [&b"\xff\xfe\x00"[..], b"dn:: \xff\n", b"\0\0\0", b"dn: x\n y\n  z\n:", b"dn: a\nuid::\n"] {
        _ = accounts_ldif(bytes, "oa");
        _ = accounts_csv(bytes, "oa", &BTreeMap::new(), Shanghai);
    }
}
