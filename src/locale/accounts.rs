//! Messages of the Accounts tab.

crate::messages! {
    order_worst(): "worst first" | "最严重在前";
    order_account(): "account" | "账号";
    order_since(): "longest first" | "最久在前";
    name(): "Accounts" | "账号";
    imported(system: &str, n: usize, bad: usize): "{system}: {n} accounts taken in, {bad} rows could not be read" | "{system}：已导入 {n} 个账号，{bad} 行无法读取";
    roster(n: usize, bad: usize): "{n} people taken in, {bad} rows could not be read" | "已导入 {n} 名员工，{bad} 行无法读取";
    shrank(before: u64, now: usize): "the file holds {now} rows, the last one {before}: is it complete? --force takes it all the same" | "文件只有 {now} 行，上次为 {before} 行：文件是否完整？用 --force 可强制导入";
    twice(what: &str): "{what} is in the file twice" | "{what} 在文件中出现两次";
    decisions(): "the decision is freeze, keep or ask" | "决定只能是 freeze、keep 或 ask";
    needs_reason(): "say the reason" | "请填写理由";
    needs_review(): "keeping needs a review date in the future (--until)" | "保留账号需要未来的复核日期（--until）";
    decided(account: &str, what: &str): "{account}: {what}" | "账号 {account}：{what}";
    bad_row(line: u64, why: &str): "line {line}: {why}" | "第 {line} 行：{why}";
    freeze_instruction(account: &str, system: &str, reason: &str): "freeze {account} in {system}: {reason}" | "在 {system} 中冻结 {account}：{reason}";
    head_rule(): "RULE" | "规则";
    head_account(): "ACCOUNT" | "账号";
    head_finding(): "FINDING" | "发现";
    head_decision(): "DECISION" | "决定";
    head_since(): "SINCE" | "已持续";
    title(n: usize): "Findings {n}" | "审计发现 {n}";
    key_freeze(): "freeze" | "冻结";
    key_keep(): "keep" | "保留";
    key_ask(): "ask the owner" | "询问负责人";
    field_reason(): "Reason" | "理由";
    field_days(): "Review in days" | "几天后复核";
    not_a_number(): "a number of days, please" | "请填写天数";
    empty_title(): "Nothing found" | "没有发现问题";
    empty_how(): "zhiban account import FILE --system NAME; zhiban account hr FILE" | "运行：zhiban account import 文件 --system 名称；zhiban account hr 文件";
    dormant(): "dormant" | "长期未登录";
    never_used(): "never used" | "从未使用";
    leaver_active(): "leaver still active" | "离职未停用";
    login_after_leaving(): "login after leaving" | "离职后登录";
    leaver_rights_kept(): "leaver's rights kept" | "离职权限未清理";
    disabled_privileged(): "disabled but privileged" | "停用但仍有特权";
    orphan(): "orphan" | "无主账号";
    duplicate(): "duplicate" | "重复账号";
    service_without_owner(): "service without owner" | "服务账号无负责人";
    default_account_enabled(): "default account enabled" | "默认账号启用";
    joiner_without_account(): "joiner without account" | "入职未开户";
    leaving_soon(): "leaving soon" | "即将离职";
}
