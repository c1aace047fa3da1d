//! Hosts, samples, roll-ups, thresholds.
