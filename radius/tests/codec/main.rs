//! The codec against what it must agree with, another implementation, and against what it must survive, anything.

mod mutations;
mod random;
mod second_implementation;
