"""How each quality is measured, one file for a quality or a close family of them."""
