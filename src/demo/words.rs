//! What people of an office write to the OA desk, and what the desk finds.

/// A kind of trouble, as it is reported and as it ends.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The title.
    pub title: &'static str,
    /// What the reporter writes; `{n}` a number of the OA, `{who}` a colleague.
    pub body: &'static str,
    /// How bad it is: `general`, `important` or `urgent`.
    pub severity: &'static str,
    /// Whom it hits: `individual`, `department` or `company`.
    pub scope: &'static str,
    /// The first answer.
    pub reply: &'static str,
    /// A note among colleagues.
    pub note: &'static str,
    /// The cause.
    pub cause: &'static str,
    /// The solution.
    pub solution: &'static str,
}

macro_rules! themes {
    ($( $severity:ident $scope:ident: $title:literal, $body:literal, $reply:literal, $note:literal, $cause:literal, $solution:literal; )*) => {
        &[$(Theme {
            title: $title, body: $body, severity: stringify!($severity), scope: stringify!($scope), reply: $reply,
            note: $note, cause: $cause, solution: $solution,
        }),*]
    };
}

/// In Chinese.
pub const ZH: &[Theme] = themes! {
    general individual: "报销单 {n} 卡在财务审核节点", "单据 {n} 上周三提交，一直停在财务审核，催办没有反应，月底前需要付款，麻烦看一下。", "您好，已收到。正在核对流程实例，稍后答复您。", "流程引擎里该实例等待的参与者已离岗，没有代理人。", "审批人调岗后未设置代理人", "已将待办转给何会计并补设代理人，单据已进入付款节点";
    general individual: "差旅报销附件无法上传", "上传酒店发票 PDF（约 18 MB）时提示“文件过大或类型不支持”，换浏览器也一样。", "您好，附件上限目前为 10 MB，我们先为您核实策略。", "上周升级后上限回到了默认值，其他部门也会遇到。", "升级后附件大小上限被恢复为默认 10 MB", "上限已调回 50 MB，请刷新后重新上传";
    important department: "采购申请流程 {n} 提交后报 500", "部门三个人都遇到：提交采购申请时页面报“系统内部错误”，编号 {n}。今天要下单，供应商在等。", "已收到，正在查看应用日志，十五分钟内给您进展。", "oa-flow-02 的 CPU 一直在 95% 以上，提交超时。", "流程引擎节点过载导致提交超时", "已将流量切到 oa-flow-01，三张申请均已重新提交成功";
    general individual: "登录后一直跳回登录页", "输入工号和密码后页面闪一下又回到登录页，手机端正常。", "请先清除浏览器缓存并确认电脑时间是否正确，我们同时查看会话日志。", "该用户本机时间慢了 11 分钟，令牌校验失败。", "客户端时间偏差超过令牌有效期", "已校准电脑时间，登录恢复正常";
    important individual: "公文 {n} 正文打不开，提示格式错误", "收文 {n} 的正文无法预览，下载后 Word 也打不开，下午要送签。", "您好，已收到，正在从文件服务器取原件核对。", "预览服务转换时内存不足，原件完好。", "预览转换进程内存不足，生成了空文件", "已重新转换正文，原件未受影响，请刷新后查看";
    general department: "会议室 A-1203 预订后日历里看不到", "行政部预订的 A-1203 会议室显示成功，但日历和门口屏都没有，已经撞了两次会。", "收到，我们检查会议室同步任务。", "同步任务昨晚失败后没有重试。", "会议室同步任务失败后未自动重试", "已补跑同步并开启失败重试，预订记录已一致";
    urgent company: "OA 首页打不开，全公司无法登录", "从 9:10 起首页一直转圈，微信群里各部门都在反映。", "已确认故障，正在处理，十分钟后通报进展。", "负载均衡上 oa-app-03、oa-app-07 健康检查失败，会话堆积。", "应用节点内存泄漏触发频繁 Full GC，健康检查失败", "已摘除并重启异常节点，首页恢复；泄漏点已提交开发修复";
    general individual: "请假申请审批人显示为离职人员", "提交年假时直属领导显示为{who}，他上个月已经离职。", "您好，组织架构同步有延迟，我们先为您改派审批人。", "人事系统已更新，OA 侧部门负责人没有同步。", "部门负责人变更未同步到 OA", "已同步组织架构并改派审批人";
    general individual: "手机端看不到待办数字", "企业微信里的 OA 应用不显示待办角标，点进去其实有 6 条。", "收到，正在核对消息推送记录。", "推送令牌过期，不影响待办本身。", "消息推送令牌过期未续期", "已续期令牌并补推，角标恢复";
    important department: "用印申请无法选择合同章", "法务部提交用印申请，印章列表里没有合同专用章，只有公章。", "您好，正在核对印章权限。", "昨天印章管理员交接时授权范围漏选。", "印章授权范围在交接时遗漏", "已补充授权，法务部可选合同专用章";
    general individual: "邮件通知收不到审批提醒", "最近一周没有收到 OA 的审批提醒邮件，垃圾箱里也没有。", "我们查看邮件网关投递记录，请稍候。", "对方邮箱容量已满，网关退信。", "收件人邮箱容量已满导致退信", "清理邮箱后已补发提醒，投递正常";
    general department: "合同审批 {n} 会签顺序不对", "会签应先财务后法务，现在同时发给了两边，财务要求退回重走。", "收到，我们核对流程版本。", "新版流程图把串行会签误配成并行。", "流程新版本会签方式配置为并行", "已修正为串行会签并发布，原单据已按新顺序流转";
    general individual: "导出报表中文乱码", "考勤报表导出为 CSV，用 Excel 打开全是乱码。", "可先用“数据—自文本导入”打开，我们同时调整导出编码。", "导出为无 BOM 的 UTF-8。", "导出文件缺少 BOM", "导出已改为带 BOM 的 UTF-8";
    important department: "人事薪资系统单点登录失败", "从 OA 点“薪资查询”提示票据无效，整个人事部都进不去，今天要核薪。", "已收到，正在检查单点登录证书。", "IdP 证书今早轮换，薪资系统未更新公钥。", "单点登录证书轮换后未同步公钥", "已更新公钥，单点登录恢复";
    general individual: "打印审批单缺少签字栏", "打印出来的付款审批单没有总监签字栏，财务不收。", "收到，我们核对打印模板版本。", "模板 v12 去掉了空签字栏。", "打印模板新版本隐藏了未签节点", "已恢复模板签字栏，请重新打印";
    general individual: "考勤异常申诉 {n} 被自动驳回", "昨天外出登记过，申诉 {n} 还是被系统驳回。", "您好，正在核对外出登记记录。", "外出登记晚于打卡数据汇总，时间差导致驳回。", "外出登记晚于考勤汇总时间", "已重新汇总并通过申诉";
    important department: "知识库全文检索无结果", "搜任何词都没有结果，昨天还正常。", "收到，正在检查检索服务。", "索引重建任务中断，索引为空。", "索引重建任务中断", "已完成索引重建，检索恢复";
    general individual: "新员工账号开通后没有权限", "昨天入职的{who}能登录，但看不到本部门的流程。", "您好，正在核对岗位与角色映射。", "人事岗位编码是新的，没有映射角色。", "新岗位编码未映射到角色", "已补充映射并刷新权限";
    general individual: "修改手机号后收不到验证码", "换了手机号，人事也改了，OA 还是把验证码发到旧号码。", "收到，我们同步一次联系方式。", "通讯录同步在夜间，今晚才会生效。", "手机号变更尚未同步", "已手动同步，验证码发送到新号码";
    urgent department: "财务付款流程全部停滞，今日需放款", "下午起所有付款单停在“出纳付款”，点处理提示锁等待超时，银行 16:30 截止。", "已确认，正在处理数据库锁，五分钟内答复。", "一个未提交的批量更新锁住了付款表，会话来自报表服务器。", "报表批量任务长事务锁表", "已终止长事务，付款单恢复处理，报表任务改到夜间";
    general department: "收文登记编号重复", "办公室登记收文时出现两份相同编号 {n}。", "收到，正在核对编号规则。", "两台应用服务器的编号缓存未共享。", "编号生成缓存未共享", "编号改由数据库序列生成，重复件已更正";
    general individual: "页面字体很小看不清", "更新后列表字体变得很小，浏览器缩放 150% 才能看。", "您好，可在个人设置里选择“大字号”，我们同时反馈给产品。", "新版样式去掉了最小字号。", "新版样式未设最小字号", "已恢复 14 像素最小字号";
    important individual: "领导代理审批设置不生效", "{who}出差期间设置了代理人，待办仍停在他本人处，合同 {n} 等着签。", "收到，正在核对代理生效时间。", "代理起始时间按 UTC 保存，差 8 小时。", "代理生效时间存在时区偏差", "已修正时区并转派待办";
    general individual: "附件在线预览一直转圈", "流程里的 Excel 附件预览转圈超过一分钟，下载正常。", "收到，正在查看预览服务队列。", "有一份 300 MB 的表格占住了转换线程。", "超大附件占满转换线程", "已加大小限制并清理队列，预览恢复";
};

/// In English.
pub const EN: &[Theme] = themes! {
    general individual: "Cannot attach scanned invoice to expense claim {n}", "The upload stops at 99 % and then says the session has expired. Tried Edge and Chrome.", "Thanks, we are looking at the upload log and will be back shortly.", "Proxy cuts uploads after 60 s; the Beijing line is slow today.", "Proxy timeout shorter than the upload", "Raised the proxy timeout to five minutes; please upload again";
    important department: "Approval notifications arrive hours late", "The whole sales team gets approval mails two to three hours late since this morning.", "We see the delay and are checking the mail queue.", "11 000 messages deferred on oa-mail-01, greylisted by the gateway.", "Mail gateway greylisted our own sender", "Sender put on the gateway's allow list; the queue is empty again";
    general individual: "Meeting room display shows yesterday's bookings", "Room B-0407: the door display still lists Monday.", "Thanks, restarting the display service.", "Display lost its network at night.", "Display did not reconnect after a switch reboot", "Display restarted; reconnect after loss enabled";
    important individual: "Contract {n} locked by a colleague who has left", "I cannot edit contract {n}; it says checked out by {who}, who left the company last month.", "We will release the lock; please do not create a copy.", "Check-out belongs to a disabled account.", "Document lock held by a disabled account", "Lock released; locks of leavers now end with the account";
    general individual: "VPN users see the English login page in Chinese", "Minor: language switches to Chinese after every login over VPN.", "Thanks for telling us, noted.", "Language cookie is set for the internal host name only.", "Language cookie bound to the internal host name", "Cookie is now set for both host names";
    urgent company: "Single sign-on down for all overseas offices", "Nobody in Singapore and Frankfurt can sign in since 09:40 local time.", "Confirmed, we are on it. Next update in ten minutes.", "oa-ldap-02 answers binds with 'server busy' since the replication restart.", "LDAP replica out of file descriptors after a restart", "Limit raised and the replica restarted; sign-in works in both offices";
    general department: "Leave calendar does not show public holidays of Germany", "Team calendar treats 25 and 26 December as working days for Frankfurt.", "Thanks, we will load the calendar for Frankfurt.", "Holiday list for DE was not imported for next year.", "Holiday list of next year missing", "Holiday list imported";
    general individual: "Purchase request {n} shows the wrong cost centre", "I picked 4710, the printed request says 4170.", "Looking at the form history now.", "Default of the department overwrites the chosen value on save.", "Form default overwrote the chosen value", "Form corrected and request {n} amended";
    important department: "Report export times out for more than 5 000 rows", "Monthly export for audit is due today; it stops after 30 s.", "We can export it for you right away while we look for the cause.", "Missing index after the last release, sequential scan over 40 million rows.", "Index lost in the last release", "Index created; the export takes four seconds";
    general individual: "Password reset link has expired already when it arrives", "Three tries, each link says it is expired.", "Please try again in five minutes, we are checking the clock of the mail gateway.", "Gateway clock 26 minutes ahead.", "Clock of the mail gateway ran ahead", "Time synchronisation restored on the gateway";
};

/// What a reporter answers.
pub const HEARD: &[&str] = &[
    "好的，谢谢，我等消息。",
    "刚又试了一次，还是不行，截图已附。",
    "可以了，多谢！",
    "我下午在开会，请打分机 6217。",
    "Still the same here, same message.",
    "Thank you, that helped.",
];

/// Why a clock may wait: reason, note.
pub const PAUSES: &[(&str, &str)] = &[
    ("waiting_user", "等用户补充截图和操作时间"),
    ("waiting_user", "Waiting for the reporter to confirm on another machine"),
    ("waiting_vendor", "已提厂商工单，等待补丁包"),
    ("waiting_vendor", "Vendor case open, analysis of the heap dump promised for tomorrow"),
    ("approved_window", "已批准今晚 22:00 变更窗口重启"),
    ("approved_window", "Restart approved for tonight's window, 22:00 to 23:00"),
];

/// How it comes in.
pub const CHANNELS: &[&str] = &["phone", "wecom", "mail", "web", "walk_in", "monitor"];
