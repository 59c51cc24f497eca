"""Feature views: definitions, expressions, contracts; nothing is computed here."""
