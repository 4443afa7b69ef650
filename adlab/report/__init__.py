"""Reports, one file for each public verb: truth, accuracy, swell, cost, error against step size, and all side by side."""
