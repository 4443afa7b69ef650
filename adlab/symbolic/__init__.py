"""Engine 2a: derivatives by SymPy, plain and after cse, in a worker that can be stopped."""
