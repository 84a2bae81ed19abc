"""Parameters in flat arrays, and the update rules that run over them."""
