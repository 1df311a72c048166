//! The codec against what it must agree with, another implementation, and against what it must survive, anything.

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod random;
#[cfg(test)]
mod second_implementation;
