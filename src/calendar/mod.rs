//! Business time: zones, weekly hours, holidays, make-up days. Pure.
