"""Machine code by way of LLVM."""
