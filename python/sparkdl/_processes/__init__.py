"""Workers in processes of their own: run n of them at once, watch them, talk to them."""
