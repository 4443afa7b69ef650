"""The systems that people use, each behind one small module that is imported only when it is asked for: see `catalogue`."""
