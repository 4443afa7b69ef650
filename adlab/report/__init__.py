"""What adlab says of a formula: truth, accuracy, swell, cost, error against step size, and all of it side by side."""
