"""Worker processes: run n of them at once, watch them, talk to them."""
