"""The tables' history. Each file in ``versions`` is one step; `surgeline migrate` takes them in order."""
