"""Who rings: the merchant directory and the recognition of a number."""
