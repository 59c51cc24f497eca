"""Features event by event, with the values of the batch; state that survives a kill."""
