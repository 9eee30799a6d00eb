//! The proving ground: many nodes in one thread, under virtual time, over a network that a seed
//! makes lose, delay, double, reorder and cut. It holds no protocol logic.

#![forbid(unsafe_code)]
