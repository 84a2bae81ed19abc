"""Running: a schedule with room for numbers, gone through again and again."""
