"""The rehearsal: a phone network that speaks Twilio's contract, callers and staff to use it."""
