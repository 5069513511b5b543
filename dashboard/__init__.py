"""The web's front door: pages, live figures, buttons and the JSON API."""
