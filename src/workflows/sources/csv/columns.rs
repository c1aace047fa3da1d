//! Which column is which.

use super::split_quoted;
use crate::locale::workflows as say;
use crate::text::{self, encoding};
use crate::workflows::sources::{LogError, Options};

/// Most columns of which the error lists the names.
const COLUMNS_TOLD: usize = 40;

pub(super) const CASE: usize = 0;
pub(super) const ACTIVITY: usize = 1;
pub(super) const TIME: usize = 2;
pub(super) const START: usize = 3;
pub(super) const RESOURCE: usize = 4;
pub(super) const LIFECYCLE: usize = 5;
pub(super) const ENABLED: usize = 6;
/// What a column can be.
pub(super) const ROLES: usize = 7;

/// Names that columns go by, the most telling first.
const KNOWN: [&[&str]; ROLES] = [
    &[
        "case:concept:name",
        "case_id",
        "caseid",
        "case id",
        "case",
        "trace",
        "process_instance_id",
        "proc_inst_id_",
        "instance_id",
        "流程实例编号",
        "流程实例",
        "流程编号",
        "实例编号",
        "案例编号",
        "案例",
        "单号",
        "单据编号",
        "申请单号",
    ],
    &[
        "concept:name",
        "activity",
        "activity name",
        "activity_name",
        "act_name_",
        "task",
        "name_",
        "task_name",
        "event",
        "node",
        "活动",
        "活动名称",
        "节点",
        "节点名称",
        "环节",
        "环节名称",
        "任务名称",
        "任务",
        "步骤",
    ],
    &[
        "time:timestamp",
        "end_time",
        "complete timestamp",
        "complete_timestamp",
        "completetimestamp",
        "end_time_",
        "completed_at",
        "timestamp",
        "end",
        "end time",
        "time",
        "date",
        "完成时间",
        "结束时间",
        "办理时间",
        "处理时间",
        "审批时间",
        "时间",
        "发生时间",
    ],
    &[
        "claim_time_",
        "签收时间",
        "领取时间",
        "start_timestamp",
        "start_time",
        "start timestamp",
        "starttimestamp",
        "start_time_",
        "started_at",
        "start",
        "start time",
        "开始时间",
        "开始处理时间",
        "接收时间",
        "到达时间",
    ],
    &[
        "org:resource",
        "resource",
        "assignee",
        "assignee_",
        "user",
        "performer",
        "处理人",
        "办理人",
        "审批人",
        "经办人",
        "操作人",
        "执行人",
        "人员",
    ],
    &["lifecycle:transition", "lifecycle", "transition", "event_type", "生命周期", "状态变化"],
    &[
        "enable_time",
        "enabled_time",
        "enabled_at",
        "created_at",
        "create_time",
        "start_time_",
        "创建时间",
        "任务创建时间",
        "接收时间",
        "到达时间",
    ],
];

/// Where the columns are that matter.
pub(super) struct Layout {
    pub delimiter: u8,
    /// Column → role, in the order of columns.
    pub wanted: Vec<(usize, usize)>,
    pub columns: usize,
    pub names: Vec<String>,
}

impl Layout {
    /// Finds the columns in the first line `line` of the file, the `at`th.
    pub fn find(line: &[u8], at: u64, options: &Options) -> Result<Self, LogError> {
        if line.starts_with(b"PK\x03\x04") {
            return Err(LogError::at(at, say::spreadsheet()));
        }
        if line.iter().any(|b| *b < 0x20 && *b != b'\t') {
            return Err(LogError::at(at, say::no_text()));
        }
        let delimiter = options.delimiter.unwrap_or_else(|| delimiter_of(line));
        let (mut bytes, mut fields) = (Vec::new(), Vec::new());
        split_quoted(line, delimiter, &mut bytes, &mut fields);
        let names: Vec<String> =
            fields.iter().map(|(a, b)| encoding::decode_lossy(&bytes[*a..*b]).trim().to_owned()).collect();
        let find = |given: &Option<String>, role: usize| -> Result<Option<usize>, LogError> {
            if let Some(wanted) = given {
                let found = names.iter().position(|n| n == wanted);
                let found = found.or_else(|| names.iter().position(|n| n.eq_ignore_ascii_case(wanted)));
                return found.map(Some).ok_or_else(|| LogError::at(at, say::no_such_column(wanted, &told(&names))));
            }
            Ok(KNOWN[role].iter().find_map(|known| names.iter().position(|n| n.to_lowercase() == **known)))
        };
        let o = options;
        let mut found = [
            find(&o.case, CASE)?,
            find(&o.activity, ACTIVITY)?,
            find(&o.time, TIME)?,
            find(&o.start, START)?,
            find(&o.resource, RESOURCE)?,
            find(&o.lifecycle, LIFECYCLE)?,
            find(&o.enabled, ENABLED)?,
        ];
        // one column, one meaning
        if o.enabled.is_none() && (0..ENABLED).any(|role| found[role].is_some() && found[role] == found[ENABLED]) {
            found[ENABLED] = None;
        }
        // a log that knows only when things began
        if found[TIME].is_none() && o.start.is_none() {
            found[TIME] = found[START].take();
        }
        for (role, flag) in [(CASE, "--case"), (ACTIVITY, "--activity"), (TIME, "--time")] {
            if found[role].is_none() {
                return Err(LogError::at(at, say::no_column(flag, &told(&names))));
            }
        }
        let mut wanted: Vec<(usize, usize)> =
            found.iter().enumerate().filter_map(|(role, column)| Some(((*column)?, role))).collect();
        wanted.sort_unstable();
        Ok(Self { delimiter, wanted, columns: names.len(), names })
    }

    /// The name of the column that is `role`, cleaned.
    pub fn name_of(&self, role: usize) -> String {
        let column = self.wanted.iter().find(|(_, r)| *r == role);
        text::clean(column.map_or("", |(c, _)| self.names[*c].as_str())).into_owned()
    }
}

/// The names of the columns for an error, cleaned and not too many.
fn told(names: &[String]) -> String {
    let mut out: Vec<String> =
        names.iter().take(COLUMNS_TOLD).map(|n| text::fit(&text::clean(n), 40).into_owned()).collect();
    if names.len() > COLUMNS_TOLD {
        out.push("…".into());
    }
    out.join(", ")
}

/// The separator that stands most often in the first line, outside quotes.
pub(super) fn delimiter_of(line: &[u8]) -> u8 {
    let mut counts = [(b',', 0usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut inside = false;
    for b in line {
        inside ^= *b == b'"';
        if !inside && let Some(c) = counts.iter_mut().find(|c| c.0 == *b) {
            c.1 += 1;
        }
    }
    counts.iter().rev().max_by_key(|c| c.1).map_or(b',', |c| c.0)
}
