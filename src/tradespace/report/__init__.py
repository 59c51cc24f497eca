"""What people read of a decision or a network: terminal, Markdown, HTML, notebook."""
