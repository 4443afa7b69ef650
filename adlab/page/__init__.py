"""The interactive page: a derivative that a reader steps through, fills in and breaks, in one file.

`facts` collects what the page shows, as plain data. `markup` writes what a reader without scripts sees. `build` puts both, the
style sheet `page.css` and the script `page.js` into one HTML file. The script holds no rule of differentiation: the rules of the
table travel in the data, as small graphs, and the script walks them.
"""
