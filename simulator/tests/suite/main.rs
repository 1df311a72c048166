//! The simulator as its clients see it. The client here is written apart from the product's: TLS from rustls,
//! HTTP and JSON by hand; signatures are judged by OpenSSL, and the page by Chromium.

#[cfg(test)]
mod adversaries;
#[cfg(test)]
mod asynchronous;
#[cfg(test)]
mod client;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod page;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod program;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod reactivation;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod srs;
#[cfg(test)]
mod support;
