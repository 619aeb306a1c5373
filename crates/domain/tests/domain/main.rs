//! What holds of the domain, seen from outside: the table of transitions as data, properties over random sequences of
//! commands, and the form in which events are stored.

#[cfg(test)]
mod any;
#[cfg(test)]
mod given;
#[cfg(test)]
mod job_sequences;
#[cfg(test)]
mod job_table;
#[cfg(test)]
mod photo_sequences;
#[cfg(test)]
mod photo_table;
#[cfg(test)]
mod stored_form;
#[cfg(test)]
mod user;
#[cfg(test)]
mod values;
