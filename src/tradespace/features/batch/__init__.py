"""Features of whole tables: columns in, columns out, as of each event."""
