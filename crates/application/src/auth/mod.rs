//! Authentication: accounts, access and refresh tokens, and stream tickets.

pub(crate) mod audit;
mod authenticate;
mod log_in;
mod log_out;
mod login_limits;
pub(crate) mod new_account;
mod refresh;
mod refresh_token;
mod register;
mod secret;
mod session_ends;
mod stream_ticket;
mod token_pair;

pub use authenticate::Authenticate;
pub use log_in::{LogIn, LogInError, LogInHandler};
pub use log_out::LogOutHandler;
pub use login_limits::{LoginLimits, Network};
pub use new_account::RegisterUserError;
pub use refresh::{RefreshError, RefreshHandler};
pub use register::{RegisterUser, RegisterUserHandler};
pub use secret::SecretToken;
pub use session_ends::{SessionEnds, SessionWatch, SessionWatches};
pub use stream_ticket::{IssuedTicket, StreamTickets, TicketError};
pub use token_pair::TokenPair;
