"""The phone's front door: Twilio's forms in, TwiML out. One file per stage of a call."""
