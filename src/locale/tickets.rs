//! Messages of the ticket desk.

crate::messages! {
    name(): "Tickets" | "工单";
    created(id: i64): "ticket #{id} created" | "已创建工单 #{id}";
    claimed(id: i64): "#{id} is yours" | "已认领 #{id}";
    assigned(id: i64, to: &str): "#{id} assigned to {to}" | "#{id} 已指派给 {to}";
    unassigned(id: i64): "#{id} is nobody's again" | "#{id} 已取消指派";
    replied(id: i64): "#{id} answered" | "已回复 #{id}";
    heard(id: i64): "message of the user added to #{id}" | "已为 #{id} 登记用户消息";
    excused(id: i64): "breach of #{id} excused; it stays on record" | "#{id} 的超时已豁免，记录保留";
    linked(id: i64, subject: &str): "{subject} linked to #{id}" | "已将 {subject} 关联到 #{id}";
    continued(id: i64, window: &str, to: i64): "#{id} was resolved more than {window} of office time ago: it goes on as #{to}" | "#{id} 解决已超过 {window} 工作时间：已新建 #{to} 继续跟进";
    clock_names(): "the clock is response or resolution" | "时钟只能是 response 或 resolution";
    not_breached(id: i64): "that clock of #{id} is not breached" | "#{id} 的该时钟未超时";
    needs_subject(): "say what is linked" | "请填写关联对象";
    pause_guard(least: u64): "urgent for the whole company: a second person pauses it, or a note of at least {least} characters says why" | "全公司紧急工单：须由第二人暂停，或填写不少于 {least} 个字的说明";
    note_of_undo(): "the resumption was taken back" | "撤销了恢复操作，继续暂停等待";
    noted(id: i64): "note added to #{id}" | "已为 #{id} 添加备注";
    called(id: i64): "call logged on #{id}" | "已为 #{id} 登记回电";
    paused(id: i64): "#{id} paused" | "#{id} 已暂停";
    resumed(id: i64): "#{id} goes on" | "#{id} 已恢复";
    resolved(id: i64): "#{id} resolved" | "#{id} 已解决";
    reopened(id: i64): "#{id} reopened" | "#{id} 已重新打开";
    levelled(id: i64, level: &str): "#{id} is now {level}" | "#{id} 的级别已改为{level}";
    merged(id: i64, into: i64): "#{id} merged into #{into}" | "#{id} 已合并到 #{into}";
    ticked(id: i64): "clocks of #{id} looked at" | "已检查 #{id} 的时钟";
    needs_title(): "a ticket needs a title" | "工单需要标题";
    needs_text(): "write something" | "请填写内容";
    needs_person(): "say with whom" | "请填写通话对象";
    needs_cause(): "say the cause" | "请填写原因";
    needs_solution(): "say the solution" | "请填写解决办法";
    needs_reason(): "say the reason" | "请填写理由";
    reported_in_future(): "reported-at lies in the future" | "报告时间不能晚于现在";
    reported_long_ago(limit: &str): "reported more than {limit} ago: give a reason (--late-reason)" | "报告时间早于 {limit}：请说明理由（--late-reason）";
    is_closed(id: i64): "#{id} is closed; reopen it first" | "#{id} 已关闭；请先重新打开";
    is_paused(id: i64): "#{id} is paused already" | "#{id} 已处于暂停状态";
    is_not_paused(id: i64): "#{id} is not paused" | "#{id} 未暂停";
    is_not_resolved(id: i64): "#{id} is not resolved" | "#{id} 尚未解决";
    pause_reasons(): "the reason is waiting_user, waiting_vendor or approved_window" | "暂停原因只能是 waiting_user、waiting_vendor 或 approved_window";
    until_past(): "the follow-up time has passed already" | "跟进时间已过";
    reply_first(): "waiting for the user needs an answer to the user first (r)" | "等待用户之前须先回复用户（r）";
    merge_self(): "a ticket cannot be merged into itself" | "工单不能与自身合并";
    queue_breaching(): "Breaching" | "将超时";
    queue_mine(): "Mine" | "我的";
    queue_unassigned(): "Unassigned" | "未指派";
    queue_waiting(): "Waiting" | "等待中";
    queue_all(): "All" | "全部";
    general(): "general" | "一般";
    important(): "important" | "重要";
    urgent(): "urgent" | "紧急";
    individual(): "individual" | "个人";
    department(): "department" | "部门";
    company(): "company" | "全公司";
    head_level(): "LEVEL" | "级别";
    head_clock(): "CLOCK" | "时钟";
    head_title(): "TITLE" | "标题";
    head_from(): "FROM" | "来自";
    head_owner(): "OWNER" | "负责人";
    response(): "response" | "响应";
    resolution(): "resolution" | "解决";
    due(at: &str): "due {at}" | "截止 {at}";
    met(at: &str): "met {at}" | "已于 {at} 完成";
    met_late(at: &str): "late {at}" | "超时完成于 {at}";
    waits(): "paused" | "已暂停";
    follow_up(): "follow up now" | "请跟进";
    born_late(): "logged late" | "补录超时";
    provisional(): "holiday list of that year is missing" | "缺少该年度节假日表";
    resp_short(): "resp" | "响应";
    empty_title(): "No ticket here" | "此处没有工单";
    empty_new(): "N makes one; or: zhiban ticket new --title \"…\"" | "按 N 新建；或运行：zhiban ticket new --title \"…\"";
    found(text: &str, n: usize): "\"{text}\": {n} found" | "“{text}”：找到 {n} 项";
    key_next(): "pull next" | "领取下一单";
    key_new(): "new" | "新建";
    key_claim(): "claim" | "认领";
    key_assign(): "assign" | "指派";
    key_reply(): "reply" | "回复";
    key_note(): "note" | "备注";
    key_call(): "call-back" | "回电";
    key_pause(): "pause" | "暂停";
    key_resume(): "resume" | "恢复";
    key_resolve(): "resolve" | "解决";
    key_reopen(): "reopen" | "重开";
    key_level(): "level" | "级别";
    key_merge(): "merge marked" | "合并标记项";
    key_copy(): "copy number" | "复制编号";
    key_copy_line(): "copy summary" | "复制摘要";
    field_title(): "Title" | "标题";
    field_body(): "Text" | "内容";
    field_from(): "Reported by" | "报告人";
    field_scope(): "Scope" | "影响范围";
    field_severity(): "Severity" | "严重程度";
    field_minutes(): "Minutes ago" | "几分钟前报告";
    field_reason(): "Reason" | "理由";
    field_cause(): "Cause" | "原因";
    field_solution(): "Solution" | "解决办法";
    field_owner(): "Owner" | "负责人";
    field_with(): "With" | "通话对象";
    field_hours(): "Hours" | "几小时后跟进";
    field_note(): "Note" | "说明";
    waiting_user(): "user" | "等待用户";
    waiting_vendor(): "vendor" | "等待厂商";
    approved_window(): "window" | "变更窗口";
    preview_due(level: &str, response: &str, resolution: &str): "{level}: response due {response}, resolution due {resolution}" | "{level}：响应截止 {response}，解决截止 {resolution}";
    preview_late(): "the response is late already: it will be shown as logged late" | "响应已超时：将显示为补录超时";
    not_a_number(): "a number, please" | "请填写数字";
    nothing_unowned(): "nothing is waiting for an owner" | "没有待领取的工单";
    mark_two(): "mark the tickets to merge (space), the cursor on the one that stays" | "请用空格标记要合并的工单，光标停在保留的工单上";
    explain_title(id: i64): "Deadline of #{id}" | "#{id} 的截止时间说明";
    explain_start(at: &str): "started {at} (when it was reported)" | "起点 {at}（报告时间）";
    explain_rule(level: &str, response: &str, resolution: &str, calendar: &str): "level {level}: response {response}, resolution {resolution}, counted by the calendar {calendar}" | "级别 {level}：响应 {response}，解决 {resolution}，按日历 {calendar} 计时";
    explain_counted(from: &str, to: &str, took: &str): "  + {from} – {to}  {took}" | "  + {from} – {to}  计时 {took}";
    explain_pause(from: &str, to: &str): "  ‖ {from} – {to}  paused or resolved, not counted" | "  ‖ {from} – {to}  暂停或已解决，不计时";
    explain_result(clock: &str, used: &str, budget: &str, due: &str): "{clock}: {used} of {budget} used, due {due}" | "{clock}：已用 {used} / {budget}，截止 {due}";
    explain_breached(): "breached: more than the budget was used; this is never erased" | "已超时：用时超过预算，记录不会被抹去";
    explain_level(at: &str, level: &str): "  ↕ {at}  level {level}: same start, new budgets" | "  ↕ {at}  级别改为 {level}：起点不变，预算更新";
}

/// A level or severity in words.
pub fn level_name(word: &str) -> String {
    match word {
        "general" => general(),
        "important" => important(),
        "urgent" => urgent(),
        other => crate::text::clean(other).into_owned(),
    }
}
