"""Numbers that say how well: metrics of one set of predictions, and intervals around them."""
