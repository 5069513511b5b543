"""The verbs of the command line, one file per family. What a verb needs is imported when it is used."""
