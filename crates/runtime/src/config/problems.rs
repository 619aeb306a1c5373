use std::fmt;

/// Wrong values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<Problem>);

/// A wrong value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name as the user wrote it: file, line and key, environment variable, or option; of a default value, the key.
    pub name: String,
    /// Requirement that the value does not meet.
    pub requirement: String,
}

impl Problem {
    pub(super) fn new(name: impl Into<String>, requirement: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            requirement: requirement.into(),
        }
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is invalid")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {}: {}", problem.name, problem.requirement))
    }
}

impl std::error::Error for ConfigProblems {}
