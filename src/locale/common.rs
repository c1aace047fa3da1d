//! Messages that several rooms share.

crate::messages! {
    yes(): "yes" | "是";
    no(): "no" | "否";
    none(): "none" | "无";
    unknown(): "unknown" | "未知";
    never(): "never" | "从未";
}
