//! Messages of the command line and the ground.

crate::messages! {
    store_unreachable(why: &str): "the store cannot be reached: {why}" | "无法连接存储：{why}";
    store_locked(): "the store is locked by another process; nothing was changed, try again" | "存储被其他进程锁定；未做任何更改，请重试";
    store_read_only(): "the store may only be read: check the permissions of the file and its folder, or whether the server is a standby" | "存储为只读：请检查文件及其目录的权限，或服务器是否为备库";
    store_disk(why: &str): "the disk under the store failed ({why}); nothing was changed: check its space, quota and health" | "存储所在磁盘出错（{why}）；未做任何更改：请检查空间、配额和磁盘状况";
    store_unsure(why: &str): "the connection broke while saving ({why}): look whether it was saved before doing it again" | "保存时连接中断（{why}）：请先查看是否已保存，再决定是否重做";
    store_certificate(why: &str): "the server's certificate is not accepted ({why}); name its CA with sslrootcert=FILE in the store's address" | "服务器证书不被接受（{why}）；请在存储地址中用 sslrootcert=文件 指定其 CA";
    store_full(): "no space left for the store; nothing was changed: make room on its disk" | "存储空间已满；未做任何更改：请清理磁盘空间";
    store_corrupt(why: &str): "the store is damaged or is not a zhiban store ({why}); restore it from a backup or name another with --store" | "存储已损坏或不是 zhiban 存储（{why}）；请从备份恢复，或用 --store 指定其他存储";
    store_foreign(): "it holds other tables" | "其中是其他程序的表";
    store_newer(found: i64, known: i64): "the store has schema version {found}, this zhiban knows up to {known}; install the newer zhiban" | "存储的结构版本为 {found}，当前 zhiban 只支持到 {known}；请安装更新的 zhiban";
    store_url(url: &str): "{url}: not a store; write sqlite:///path/to/file.db or postgres://user@host/database" | "{url}：不是有效的存储地址；请写 sqlite:///路径/文件.db 或 postgres://用户@主机/数据库";
    store_duplicate(what: &str): "already there: {what}" | "已存在：{what}";
    store_value(what: &str): "a stored value cannot be read: {what}" | "存储中的值无法读取：{what}";
    store_refused(why: &str): "the store refused: {why}" | "存储拒绝了请求：{why}";
    store_no_answer(): "no answer in time" | "在规定时间内没有应答";
    denied(needs: &str, has: &str): "not permitted: needs the role {needs}, you are {has}" | "无权限：需要角色 {needs}，您是 {has}";
    read_only_here(): "this session is read-only" | "当前会话为只读";
    conflict(what: &str, who: &str, at: &str): "someone else was first: {what} was changed by {who} at {at}; look again and repeat" | "已被他人抢先：{what} 于 {at} 被 {who} 更改；请查看后重试";
    not_found(what: &str): "{what}: not found" | "未找到：{what}";
    operator_added(name: &str, role: &str): "operator {name} added as {role}" | "已添加运维人员 {name}，角色 {role}";
    operator_role(name: &str, role: &str): "operator {name} is now {role}" | "运维人员 {name} 的角色已改为 {role}";
    operator_removed(name: &str): "operator {name} removed" | "已移除运维人员 {name}";
    operator_exists(name: &str): "operator {name} exists already" | "运维人员 {name} 已存在";
    operator_last_admin(): "the last admin cannot be removed or lowered" | "不能移除或降级最后一个管理员";
    operator_name(): "an operator's name has 1 to 64 letters, digits, '.', '-', '_' or '@'" | "运维人员名称为 1 到 64 个字母、数字或 . - _ @";
    config_problem(place: &str, what: &str): "{place}: {what}" | "配置 {place}：{what}";
    config_ok(path: &str): "{path}: in order" | "{path}：配置无误";
    config_open_secret(path: &str): "warning: {path} holds a password and others may read it: chmod 600 it, or write env:NAME or file:/path instead" | "警告：{path} 中含有密码且其他用户可读：请执行 chmod 600，或改写为 env:名称 或 file:/路径";
    config_not_utf8(): "not UTF-8 text; save the file as UTF-8" | "不是 UTF-8 文本；请另存为 UTF-8";
    config_defaults(): "no configuration file; built-in defaults" | "没有配置文件；使用内置默认值";
    journal_ok(rows: i64): "{rows} row(s), chain whole" | "共 {rows} 行，链条完整";
    journal_broken(seq: i64): "chain broken at row {seq}" | "链条在第 {seq} 行断开";
    store_line(url: &str, version: i64, rows: i64): "{url} · schema {version} · {rows} journal rows" | "{url} · 结构版本 {version} · 日志 {rows} 行";
    serve_started(url: &str): "serving {url}; stop with ctrl-c" | "正在服务 {url}；按 ctrl-c 停止";
    no_terminal(): "the console needs a terminal; `zhiban ticket list` and the other commands work without one" | "控制台需要终端；`zhiban ticket list` 等命令无需终端即可使用";
    speed_without_demo(): "--speed is for --demo: a real console runs in real time" | "--speed 只用于 --demo：正式控制台按实际时间运行";
    demo_has_its_own(): "the demo has a temporary store of its own: leave --store out" | "演示使用自己的临时存储：请去掉 --store";
    demo_is_a_console(): "--demo opens the console or the wall; other commands have no demo" | "--demo 只用于控制台和大屏；其他命令没有演示";
    no_home(): "no home folder: name a store with --store" | "没有主目录：请用 --store 指定存储";
    subject_form(given: &str): "{given}: write KIND:ID, such as ticket:42" | "{given}：请写 类型:编号，例如 ticket:42";
    fault(): "stopped by a fault of its own; no report could be written" | "因内部错误而停止；未能写入报告";
    fault_reported(path: &str): "stopped by a fault of its own; please pass on the report {path}" | "因内部错误而停止；请提交报告 {path}";
}
