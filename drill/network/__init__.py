"""The phone-network double: an HTTP server that speaks Twilio's wire contract and refuses what Twilio would.

``app`` puts it together and ``rest/`` answers the REST operations. Calls live in ``exchange`` as ``legs``;
``interpreter`` runs their TwiML verb by verb (``verbs``, ``gathering``, ``dialing``, ``holding``,
``conferencing``, ``recordings``), held to Twilio's schema by ``strictness``; ``webhooks`` asks the product,
signed, in Twilio's time. ``people`` are scripted callers, ``telephones`` and ``softphones`` what they ring
on, ``faults`` what goes wrong on demand, ``control`` the ``/_double`` routes, ``phone_page`` the page to
ring in from.
"""
