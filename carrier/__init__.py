"""The phone company as we use it: numbers, and Twilio's REST operations."""
