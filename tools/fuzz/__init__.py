"""Damaged inputs by the thousand: none may end a job, or mislead it."""
