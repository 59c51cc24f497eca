"""Laws that every family and quality keeps, and tables to try them on; for plug-ins too."""
