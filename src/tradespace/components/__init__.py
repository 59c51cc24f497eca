"""The families of components: fit, predict, encode, export; what each is good and bad at."""
