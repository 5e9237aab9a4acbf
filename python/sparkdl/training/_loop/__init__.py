"""What workers do: steps that all of them take together, epoch by epoch."""
