//! The product as a user runs it: one module per program or promise, one short story per test.

mod world;
