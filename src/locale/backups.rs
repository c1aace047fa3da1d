//! Messages of the Backups tab.

crate::messages! {
    name(): "Backups" | "备份";
    system_added(name: &str): "system {name} named" | "已登记系统 {name}";
    other_tool(system: &str, tool: &str): "{system} is backed up with {tool}" | "{system} 使用 {tool} 备份";
    imported(system: &str, n: usize, new: u64): "{system}: {n} backups, {new} new" | "{system}：{n} 个备份，新增 {new} 个";
    no_repository(system: &str): "{system}: no repository named" | "{system}：未登记仓库";
    night_safe(n: usize): "Last night is safe: all {n} systems." | "昨夜备份安全：共 {n} 个系统。";
    night_unsafe(bad: usize, n: usize): "Last night is NOT safe: {bad} of {n} systems." | "昨夜备份不安全：{n} 个系统中有 {bad} 个有问题。";
    safe(): "safe" | "安全";
    never(): "no backup known" | "没有已知备份";
    rpo_breach(): "newest backup too old" | "最新备份过旧";
    full_overdue(): "weekly full overdue" | "每周全量逾期";
    missed(): "last day missed" | "昨日缺失";
    failed(): "newest backup failed" | "最新备份失败";
    offsite_lag(): "off-site copy behind" | "异地副本滞后";
    rpo(age: &str): "data {age} old" | "数据时延 {age}";
    offsite(age: &str): "off-site {age}" | "异地 {age}";
    missing_days(days: &str): "missed: {days}" | "缺失：{days}";
    empty_title(): "No system is named yet" | "尚未登记系统";
    empty_how(): "zhiban backup system add NAME --tool restic; zhiban backup import restic FILE --system NAME" | "运行：zhiban backup system add 名称 --tool restic；zhiban backup import restic 文件 --system 名称";
}
