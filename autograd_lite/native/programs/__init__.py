"""What users call: arguments in, recordings chosen, results out; programs shown and saved."""
