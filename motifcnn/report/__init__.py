"""The self-contained HTML report."""

from motifcnn.report.page import write_report

__all__ = ["write_report"]
