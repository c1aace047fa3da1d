//! The people of the company: who reports, and who is on duty at the desk.

use fastrand::Rng;

use crate::action::{Actor, Role};

const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾",
    "彭", "吕",
];
const GIVEN: &[&str] = &[
    "伟", "芳", "娜", "敏", "静", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "霞", "平", "刚", "桂英",
    "文博", "雨桐", "子轩", "浩然", "思远", "晓彤", "佳怡", "志强", "建华", "海燕", "丽华", "国栋", "春梅", "立新",
    "雪梅", "俊杰", "欣怡", "梓涵", "一鸣", "可馨", "振宇",
];
const ABROAD: &[&str] = &["Anna Schmidt", "Tom Becker", "Wei Ling Tan", "Rahul Menon", "Julia Weber", "Marcus Lim"];
/// Departments, with those abroad last.
pub const DEPARTMENTS: &[&str] = &[
    "财务部",
    "人力资源部",
    "行政部",
    "法务部",
    "采购部",
    "市场部",
    "销售一部",
    "销售二部",
    "研发中心",
    "质量部",
    "生产部",
    "信息中心",
    "总经办",
    "审计部",
];

/// The name of employee number `n`: of 1 600 that differ.
pub fn name(n: usize) -> String {
    format!("{}{}", SURNAMES[n % SURNAMES.len()], GIVEN[(n / SURNAMES.len() + n * 7) % GIVEN.len()])
}

/// Somebody who reports a ticket, with department; `abroad` somebody who writes English.
pub fn reporter(rng: &mut Rng, abroad: bool) -> String {
    if abroad {
        let office = if rng.bool() { "Frankfurt" } else { "Singapore" };
        format!("{} ({office})", ABROAD[rng.usize(..ABROAD.len())])
    } else {
        format!("{}（{}）", name(rng.usize(..640)), DEPARTMENTS[rng.usize(..DEPARTMENTS.len())])
    }
}

/// Who works at the desk beside the visitor: name and role.
pub const DESK: [(&str, Role); 7] = [
    ("王芳", Role::Operator),
    ("刘洋", Role::Operator),
    ("陈静", Role::Operator),
    ("周杰", Role::Operator),
    ("j.miller", Role::Operator),
    ("赵敏", Role::Supervisor),
    ("孙总监", Role::Viewer),
];

/// The supervisor of the desk.
pub const SUPERVISOR: usize = 5;

/// A colleague of the desk, as an actor.
pub fn colleague(n: usize) -> Actor {
    let (name, role) = DESK[n % DESK.len()];
    Actor { name: name.into(), role, origin: "console ssh-key".into(), unclaimed: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        let all: std::collections::HashSet<String> = (0..640).map(name).collect();
        assert_eq!(all.len(), 640);
    }
}
