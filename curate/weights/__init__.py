"""What a second is worth in training: the factors it is made of, and the recipes that make them."""
