"""What a bundle says of itself: its manifest, its inputs and outputs, how it was trained."""
