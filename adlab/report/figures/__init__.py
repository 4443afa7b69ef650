"""The figures of `adlab figures`, one file for each subject. `catalogue` lists them."""
