"""Graphs as pictures, from data alone: layout, SVG, Matplotlib, dot, Mermaid."""
