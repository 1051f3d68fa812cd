"""The tables of docs/observability.md: `python -m broker.metrics.page docs/observability.md` writes them anew."""

import sys
from pathlib import Path

from broker.metrics.catalogue import GROUPS

BEGIN, END = "<!-- metrics: begin -->", "<!-- metrics: end -->"


def render() -> str:
    """The tables, one a group of metrics, as Markdown."""
    lines = []
    for title, metrics in GROUPS.items():
        lines += [f"### {title}", "", "| metric | labels | what it is |", "|---|---|---|"]
        lines += [
            f"| `{each.name}`, {each.kind} | {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |"
            for each in metrics
        ]
        lines.append("")
    return "\n".join(lines)


def with_tables(page: str) -> str:
    """A page with the tables as they are now, between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render()}\n{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
