//! mobileidctl as an administrator runs it: the built binary, with files made by OpenSSL and, where somebody
//! has to answer, the simulator.

#[cfg(test)]
mod check;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod enrol;
#[cfg(test)]
mod heartbeat;
#[cfg(test)]
mod identify;
#[cfg(test)]
mod login;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod pty;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod serial;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod signature;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod support;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod whois;
