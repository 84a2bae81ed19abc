"""Grading an engine that somebody else has written: milestones, diagnoses, a report."""
