"""The page that people look at when a run is done."""

from broker.report.page import write_report

__all__ = ["write_report"]
