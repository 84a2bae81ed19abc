"""How clusters lie in each other."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.drawing.geometry import LayoutCluster


class Nesting:
    """Clusters as a forest.

    Attributes
    ----------
    parents : list of int
        The cluster around each cluster, -1 for the outermost.
    order : list of int
        The clusters, each after the one around it.
    paths : list of tuple of int
        For each cluster those around it, the outermost first, and itself.
    home : list of int
        For each node the innermost cluster around it, -1 for none.
    """

    def __init__(self, count: int, clusters: Sequence[LayoutCluster]) -> None:
        self.home = [-1] * count
        self.parents = [-1] * len(clusters)
        self.paths: list[tuple[int, ...]] = [()] * len(clusters)
        members = [set(cluster.members) for cluster in clusters]
        self.order = sorted(range(len(clusters)), key=lambda c: -len(members[c]))
        for cluster in self.order:
            around = {self.home[node] for node in members[cluster]}
            if len(around) != 1:
                raise ValueError(
                    f"cluster {cluster} needs members of which none or all lie in each other"
                    f" cluster, got {sorted(members[cluster])}"
                )
            parent = around.pop()
            self.parents[cluster] = parent
            self.paths[cluster] = (*(self.paths[parent] if parent >= 0 else ()), cluster)
            for node in members[cluster]:
                self.home[node] = cluster

    def path(self, cluster: int) -> tuple[int, ...]:
        """Return the clusters around and with ``cluster``, the outermost first; () for -1."""
        return self.paths[cluster] if cluster >= 0 else ()
