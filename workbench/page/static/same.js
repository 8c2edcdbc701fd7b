// Hands the session on as it is.
session => session
