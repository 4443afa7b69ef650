"""Graphs as pictures, from data alone: layout, SVG, Matplotlib, Graphviz, Mermaid."""
