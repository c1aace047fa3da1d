//! Titles and bodies as people write them: two thirds Chinese, one third English. The number of the ticket is the seed.

const SYSTEMS: [&str; 20] = [
    "协同办公",
    "合同审批",
    "请假流程",
    "报销系统",
    "档案系统",
    "会议室预订",
    "企业邮箱",
    "人事系统",
    "采购平台",
    "印章管理",
    "门户首页",
    "移动审批",
    "考勤系统",
    "知识库",
    "车辆管理",
    "资产台账",
    "公文流转",
    "督办系统",
    "财务共享",
    "单点登录",
];
const TROUBLES: [&str; 16] = [
    "打不开",
    "提交后一直转圈",
    "附件下载失败",
    "登录超时",
    "数据不一致",
    "打印格式错乱",
    "找不到待办",
    "权限不足",
    "页面空白",
    "短信验证码收不到",
    "导出失败",
    "签章丢失",
    "响应很慢",
    "推送重复",
    "流程退回后无法再提交",
    "搜索没有结果",
];
const DETAILS: [&str; 12] = [
    "昨天还正常,今天上午开始出现。",
    "换了浏览器和电脑都一样。",
    "部门里好几位同事都遇到了。",
    "重启以后暂时恢复,半小时后又出现。",
    "领导等着签字,请尽快处理。",
    "截图见附件,错误代码 502。",
    "财务月结在即,影响付款。",
    "只有外网访问时才会这样。",
    "已经清理缓存,没有效果。",
    "同一张单据重复出现了两次。",
    "磁盘空间不足的提示一直弹出。",
    "手机端正常,网页端不行。",
];
const STUCK: &str = "审批节点卡住";
const THINGS: [&str; 16] = [
    "Contract approval",
    "Leave request",
    "Expense claim",
    "Mail gateway",
    "File server",
    "Portal home page",
    "VPN client",
    "Print queue",
    "Payroll export",
    "Single sign-on",
    "Meeting room display",
    "Backup job",
    "Search index",
    "Archive viewer",
    "Mobile app",
    "Report scheduler",
];
const WRONG: [&str; 14] = [
    "hangs after submit",
    "returns error 502",
    "is very slow",
    "shows a blank page",
    "loses attachments",
    "asks for a password again",
    "sends every notice twice",
    "cannot be opened",
    "times out",
    "prints garbled characters",
    "refuses valid certificates",
    "shows stale data",
    "crashes on export",
    "is out of disk space",
];
const MORE: [&str; 10] = [
    "It worked yesterday and nothing was changed on our side. ",
    "Several colleagues in the department see the same. ",
    "A restart helps for half an hour. ",
    "The month end closing depends on it. ",
    "Only from outside the office network. ",
    "Please call back before noon. ",
    "The log says connection reset by peer. ",
    "Clearing the cache made no difference. ",
    "Screenshots are attached. ",
    "The manager is waiting for the signature. ",
];

/// A word of [`ticket`] that one ticket in a thousand has.
pub fn host(n: u64) -> String {
    format!("host-{:05}", n % 1_000)
}

/// The phrase that eight tickets in a hundred have.
pub fn common_phrase() -> &'static str {
    STUCK
}

/// Title and body of ticket number `n`.
pub fn ticket(n: u64) -> (String, String) {
    let mut r = fastrand::Rng::with_seed(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut pick = |of: &[&'static str]| of[r.usize(..of.len())];
    let (system, trouble, thing, wrong) = (pick(&SYSTEMS), pick(&TROUBLES), pick(&THINGS), pick(&WRONG));
    let (zh, en) = ([pick(&DETAILS), pick(&DETAILS)], [pick(&MORE), pick(&MORE), pick(&MORE)]);
    let (chinese, stuck, number) = (r.u8(..3) > 0, r.u32(..100) < 12, r.u32(..1_000_000));
    if chinese {
        let trouble = if stuck { STUCK } else { trouble };
        let body = format!("{system}{trouble},单号 OA{number:06}。{}{}服务器 {}。", zh[0], zh[1], host(n));
        (format!("{system}{trouble}"), body)
    } else {
        let body = format!("{}{}{}Document OA{number:06}, server {}.", en[0], en[1], en[2], host(n));
        (format!("{thing} {wrong}"), body)
    }
}
