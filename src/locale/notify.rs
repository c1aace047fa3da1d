//! Messages about messages: the outbox, channels, templates.

crate::messages! {
    message_named(id: i64): "message {id}" | "消息 {id}";
    message_is(id: i64, state: &str): "message {id} is {state}" | "消息 {id} 处于“{state}”状态";
    retried(id: i64): "message {id} is tried again" | "消息 {id} 将重新发送";
    discarded(id: i64): "message {id} discarded" | "消息 {id} 已放弃";
    queued(): "waiting" | "待发送";
    sent(): "sent" | "已发送";
    dead(): "given up" | "发送失败";
    let_go(): "discarded" | "已放弃";
    no_such_kind(kind: &str): "{kind} is none of: wecom_robot, wecom_app, wecom_bot, smtp, webhook" | "{kind} 不是有效类型：wecom_robot、wecom_app、wecom_bot、smtp、webhook";
    digest(n: usize): "{n} message(s)" | "共 {n} 条消息";
    no_answer(seconds: u64): "no answer within {seconds} s" | "{seconds} 秒内无应答";
    http_status(status: u16): "answered with status {status}" | "返回状态码 {status}";
    wecom_error(code: i64, text: &str): "WeCom refused: {code} {text}" | "企业微信拒绝：{code} {text}";
    bad_header(name: &str): "the value of the header {name} cannot be sent" | "请求头 {name} 的值无法发送";
    bad_address(address: &str): "{address} is no mail address" | "{address} 不是邮件地址";
    at_line(line: usize, what: &str): "line {line}: {what}" | "第 {line} 行：{what}";
    no_such_template(name: &str): "there is no template {name}" | "没有名为 {name} 的模板";
    unknown_template(names: &str): "not a template; there are: {names} (and .en.txt)" | "不是已知模板；可用：{names}（以及 .en.txt）";
}

/// The state of a message in words.
pub fn state(word: &str) -> String {
    match word {
        "queued" => queued(),
        "sent" => sent(),
        "dead" => dead(),
        "discarded" => let_go(),
        other => crate::text::clean(other).into_owned(),
    }
}
