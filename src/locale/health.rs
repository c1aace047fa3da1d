//! Messages of the Health tab.

crate::messages! {
    name(): "Health" | "健康";
    hosts(n: usize): "Hosts {n}" | "主机 {n}";
    key_span_more(): "longer span" | "放大时间范围";
    key_span_less(): "shorter span" | "缩小时间范围";
    order_worst(): "worst first" | "最差在前";
    order_name(): "name" | "名称";
    cpu(): "CPU" | "处理器 CPU";
    memory(): "Memory" | "内存";
    swap(): "Swap" | "交换区";
    disk_io(): "Disk I/O" | "磁盘 I/O";
    network(): "Network" | "网络";
    file_systems(): "File systems" | "文件系统";
    processes(n: usize): "Processes {n}" | "进程 {n}";
    cores(): "Cores" | "核心";
    load(): "load" | "负载";
    up(age: &str): "up {age}" | "已运行 {age}";
    pressure(cpu: &str, mem: &str, io: &str): "pressure cpu {cpu} mem {mem} io {io}" | "压力 CPU {cpu} 内存 {mem} IO {io}";
    head_host(): "HOST" | "主机";
    head_cpu(): "CPU" | "CPU";
    head_mem(): "MEM" | "内存";
    head_disk(): "DISK" | "磁盘";
    head_age(): "AGE" | "时延";
    head_net(): "NET" | "网络";
    head_pid(): "PID" | "PID";
    head_process(): "PROCESS" | "进程";
    full_in(age: &str): "full in {age}" | "{age} 后写满";
    span(text: &str): "last {text}" | "最近 {text}";
    ok(): "All hosts are within their thresholds." | "所有主机均在阈值之内。";
    problem(what: &str, value: &str, raise: &str, clear: &str): "{what} {value} (raised at {raise}, clears below {clear})" | "{what} {value}（达到 {raise} 时告警，低于 {clear} 时恢复）";
    stale(age: &str): "no sample for {age}: is the agent running, is the host up?" | "已有 {age} 没有样本：采集代理是否运行？主机是否在线？";
    explain_title(host: &str): "Why {host} is where it is" | "主机 {host} 的状态说明";
    explain_fine(): "every figure is below its threshold" | "各项指标均低于阈值";
    waiting(): "taking the first sample…" | "正在采集首个样本……";
    agent_stored(host: &str): "{host}: one sample stored" | "{host}：已写入一个样本";
    agent_running(host: &str, every: &str): "sampling {host} every {every}; stop with ctrl-c" | "每 {every} 采集一次 {host}；按 ctrl-c 停止";
    agent_unsupported(): "this system tells nothing of itself" | "当前系统无法采集";
    agent_away(why: &str, waiting: usize): "the store is away ({why}); {waiting} samples wait" | "存储不可用（{why}）；{waiting} 个样本等待写入";
    agent_back(n: usize): "the store is back; {n} samples stored" | "存储已恢复；已写入 {n} 个样本";
    no_hosts(): "No hosts yet. Run `zhiban agent` on each server; the console samples its own." | "还没有主机。请在各服务器上运行 `zhiban agent`；控制台会自动采集本机。";
    stuck(): "does not answer" | "无响应";
}
