//! What this module gives back to the allocator is wiped first.
//!
//! The host lives on when a login is over, and what was freed stays legible in it until it is used again: in a
//! core dump, in swap, for a later bug of the host. Our own secrets wipe themselves; the libraries in between
//! (TLS, HTTP, TOML, JSON) copy what goes through them and do not. So the wiping is done where all of their
//! memory ends, and what is added later need not be told to.
//!
//! It reaches the heap of the Rust code in this module. It does not reach the stack, nor what libc and libpam
//! allocate for themselves.

#![allow(unsafe_code, reason = "an allocator is an unsafe trait; each block says why it is sound")]

use std::alloc::{GlobalAlloc, Layout, System};

use nix::libc;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

/// The system's allocator, which is the host's too.
///
/// `realloc` is the trait's own: a new block, a copy, and the old one given back, which wipes it. The system's
/// might move a block and leave what was in the old place.
struct Wiping;

// SAFETY: every block is the system allocator's, asked for and given back with the layout of the caller.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about the layout is what the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives up a block of this size that came from here. Unlike a plain write before a
        // free, explicit_bzero is not taken out by the compiler.
        unsafe { libc::explicit_bzero(block.cast(), layout.size()) };
        // SAFETY: the block is the system's, with the layout that it was asked for with.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_block_that_grows_keeps_what_is_in_it() {
        let mut bytes = Vec::with_capacity(3);
        for round in 0..10_000u32 {
            bytes.extend_from_slice(&round.to_le_bytes());
        }
        let rounds = bytes.chunks_exact(4).map(|four| u32::from_le_bytes(four.try_into().unwrap()));
        assert!(rounds.eq(0..10_000));
    }
}
