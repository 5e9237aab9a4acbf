"""Models as they come: live ones, and what they say of themselves."""
