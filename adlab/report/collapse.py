from adlab.graph.graph import Graph
from adlab.report.diagram import Diagram
LIMIT = 60
def collapse(graph: Graph, primal: Graph | None = None, limit: int = LIMIT) -> Diagram:
    raise NotImplementedError
