"""Networks from Keras files and models."""
