//! Messages of the knowledge base and of reviews.

crate::messages! {
    file_too_large(most: u64): "is larger than {most} bytes" | "文件超过 {most} 字节";
    file_not_utf8(line: usize): "line {line} is not UTF-8: save the file as UTF-8" | "第 {line} 行不是 UTF-8，请以 UTF-8 保存";
    file_empty(): "there is no text" | "没有正文";
    head_without_end(): "the head begins with --- and does not end with ---" | "文件头以 --- 开始但没有以 --- 结束";
    head_line(line: usize, text: &str): "line {line}: `{text}` is none of: title, tags, audience, kind, state, review (a date)" | "第 {line} 行：“{text}”不是 title、tags、audience、kind、state、review（日期）之一";
    title_shape(most: usize): "a title has 1 to {most} characters" | "标题须为 1 至 {most} 个字符";
    tag_shape(): "a tag has no comma" | "标签中不能有逗号";
    imported(added: usize, changed: usize, same: usize): "{added} article(s) added, {changed} changed, {same} as before" | "新增 {added} 篇，更新 {changed} 篇，未变 {same} 篇";
    article_named(id: i64): "article {id}" | "文章 {id}";
    written(id: i64, title: &str): "article {id}: {title}" | "文章 {id}：{title}";
    answered(ticket: i64, article: i64): "#{ticket} answered by article {article}" | "#{ticket} 由文章 {article} 解答";
    refused(file: &str, why: &str): "{file}: {why}" | "文件 {file}：{why}";
    nothing_found(): "nothing found" | "没有找到";
    review_named(ticket: i64): "the review of #{ticket}" | "#{ticket} 的复盘";
    review_state(state: &str): "it is {state}" | "当前状态为 {state}";
    review_not_needed(ticket: i64): "#{ticket} is not resolved: there is nothing to review yet" | "#{ticket} 尚未解决，暂无可复盘内容";
    review_drafted(ticket: i64): "review of #{ticket} drafted" | "#{ticket} 的复盘草稿已生成";
    review_saved(ticket: i64): "review of #{ticket} saved" | "#{ticket} 的复盘已保存";
    review_reviewed(ticket: i64): "review of #{ticket} confirmed" | "#{ticket} 的复盘已审阅";
    review_published(ticket: i64, article: i64): "review of #{ticket} published as case {article}" | "#{ticket} 的复盘已发布为案例 {article}";
    review_incomplete(what: &str): "the review still lacks: {what}" | "复盘尚缺：{what}";
    review_second_person(): "somebody else than its author confirms a review" | "复盘须由作者以外的人审阅";
    review_action_shape(): "an action names what, who and until when" | "改进措施须写明内容、负责人和期限";
    review_cause(): "cause" | "原因";
    review_handling(): "handling" | "处理过程";
    review_helped(): "what helped" | "有效措施";
    review_actions(): "actions" | "改进措施";
    review_scope(): "scope" | "影响范围";
    review_timeline(): "timeline" | "时间线";
    review_intervals(): "intervals" | "时间指标";
    detection(): "until reported" | "发现耗时";
    response(): "until answered" | "响应耗时";
    resolution(): "until resolved" | "解决耗时";
}
