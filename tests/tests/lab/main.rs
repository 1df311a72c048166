//! The product as a user runs it: one module per program or promise, one short story per test.

mod adversaries;
mod asynchronous;
mod audit;
mod breakglass;
mod configuration;
mod elf;
mod environment;
mod fatigue;
mod gone;
mod grace;
mod guest;
mod login;
mod matrix;
mod once;
mod person;
mod phone;
mod policy;
mod radius;
mod readme;
mod sshd;
mod stay;
mod su;
mod sudo;
mod support;
mod unreachable;
mod world;
