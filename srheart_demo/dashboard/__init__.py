"""The dashboard: the only room that knows widgets and plots, and one without numerics."""

from srheart_demo.dashboard.serve import explore

__all__ = ["explore"]
