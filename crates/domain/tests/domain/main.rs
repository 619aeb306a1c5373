//! Tests of the public API of the domain: the table of transitions as data, properties over random sequences of
//! commands, and the stored form of events.

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod job_sequences;
#[cfg(test)]
mod job_table;
#[cfg(test)]
mod photo_cleaning;
#[cfg(test)]
mod photo_creation;
#[cfg(test)]
mod photo_sequences;
#[cfg(test)]
mod photo_table;
#[cfg(test)]
mod stored_form;
#[cfg(test)]
mod strategies;
#[cfg(test)]
mod user;
#[cfg(test)]
mod values;
