//! Messages of the duty rota and of escalations.

crate::messages! {
    needs_people(): "name people, without commas in their names" | "请填写值班人员，姓名中不能有逗号";
    needs_days(): "a turn lasts 1 to 366 days" | "每班须为 1 至 366 天";
    needs_span(): "the end lies after the beginning and after now" | "结束时间须晚于开始时间和当前时间";
    needs_time(): "the hand-over is a time of day, such as 09:00" | "交接时间须为一天中的时刻，例如 09:00";
    needs_date(text: &str): "{text} is no date, such as 2026-11-23" | "{text} 不是日期，例如 2026-11-23";
    rota_set(people: &str): "rota: {people}" | "轮值：{people}";
    rota_gone(): "there is no rota any more" | "已取消轮值";
    taken_over(person: &str, from: &str, until: &str): "{person} is on duty from {from} until {until}" | "{person} 替班：{from} 至 {until}";
    given_back(id: i64): "override {id} ended" | "替班 {id} 已结束";
    override_named(id: i64): "override {id}" | "替班 {id}";
    nothing_to_acknowledge(ticket: i64): "nobody is being called about #{ticket}" | "#{ticket} 没有进行中的提醒";
    acknowledged(ticket: i64, until: &str): "reminders about #{ticket} pause until {until}" | "#{ticket} 的提醒已暂停至 {until}";
    raised(ticket: i64, percent: i64): "#{ticket} passed {percent} %" | "#{ticket} 已达 {percent}%";
    called(ticket: i64, percent: i64): "people are called about #{ticket} at {percent} %" | "#{ticket} 达 {percent}%，已通知相关人员";
    escalation_named(id: i64): "escalation {id}" | "升级提醒 {id}";
    response(): "response" | "响应时限";
    resolution(): "resolution" | "解决时限";
    minutes(n: i64): "{n} min" | "{n} 分钟";
    nobody(): "nobody is on duty: zhiban oncall set --people …" | "无人值班，请执行 zhiban oncall set --people …";
    on_duty(person: &str): "on duty: {person}" | "当前值班：{person}";
    until_then(at: &str, next: &str): "until {at}, then {next}" | "至 {at}，之后为 {next}";
    source_rota(): "by the rota" | "按轮值表";
    source_holiday(): "by the holiday rota" | "按节假日轮值";
    source_override(): "by an override" | "替班";
}
