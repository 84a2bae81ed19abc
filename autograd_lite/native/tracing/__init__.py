"""Recording: a function runs once, and what it does lands on a tape."""
