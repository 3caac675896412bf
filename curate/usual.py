"""What a night does unless it is told otherwise; apart from it, so that commands can say it without Arrow."""

SPLIT = "place:0.2"
RECIPE = "rare-first"
RECIPES = ("rare-first", "natural", "inverse-density", "effective-number")
ENCODER = "lite0"
