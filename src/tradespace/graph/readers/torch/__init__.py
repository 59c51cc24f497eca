"""Networks from torch modules, counted without running them."""
