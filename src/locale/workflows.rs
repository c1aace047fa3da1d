//! Messages of the Workflows tab.

crate::messages! {
    name(): "Workflows" | "流程";
    imported(name: &str, cases: usize, events: usize): "{name}: {cases} cases, {events} events" | "{name}：{cases} 个实例，{events} 个事件";
    cases(): "cases" | "实例";
    figures(cases: usize, variants: usize, mean: &str, median: &str, p95: &str): "{cases} cases, {variants} variants; duration mean {mean}, median {median}, 95 % {p95}" | "{cases} 个实例，{variants} 种路径；时长 平均 {mean}，中位 {median}，95% {p95}";
    head(): "share  median   95 %   count rework" | "占比   中位    95%     次数  返工";
    explain_title(name: &str): "Bottlenecks of {name}" | "{name} 的瓶颈";
    definition(): "share: time spent in a node out of all time spent, from its start (or the event before it) to its end" | "占比：在该节点停留的时间占总停留时间的比例，自开始（或前一事件）至完成";
    why(node: &str, share: &str, median: &str, p95: &str, count: usize): "{node}: {share} of the time; half take more than {median}, one in twenty more than {p95} (n = {count})" | "{node}：占用 {share} 的时间；半数超过 {median}，二十分之一超过 {p95}（n = {count}）";
    empty_title(): "No event log yet" | "还没有流程日志";
    empty_how(): "zhiban workflow import FILE (.xes, .xes.gz or .csv)" | "运行：zhiban workflow import 文件（.xes、.xes.gz 或 .csv）";
}
