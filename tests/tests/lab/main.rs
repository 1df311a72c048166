//! The product as a user runs it: one module per program or promise, one short story per test.

mod adversaries;
mod asynchronous;
mod audit;
mod configuration;
mod directory;
mod elf;
mod environment;
mod guest;
mod login;
mod person;
mod radius;
mod readme;
mod sshd;
mod stay;
mod su;
mod sudo;
mod support;
mod world;
