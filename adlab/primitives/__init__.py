"""The table: what is known of each primitive, and the numbers that compute it."""
