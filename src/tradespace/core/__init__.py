"""Records and rules that every floor shares: standard library only."""
