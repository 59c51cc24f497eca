"""Feature views as SQL, for databases that compute them where the data are."""
