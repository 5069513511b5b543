"""The Twilio REST operations the product uses, as Twilio's own description has them."""
