"""What a graph can be walked with, a file for each arithmetic."""
