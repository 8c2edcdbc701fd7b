"""`workbench scan`: in seconds, which matrices the facts pull at."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from workbench.cli.common import (
    Columns,
    Encoding,
    FactsPath,
    Json,
    PlotPath,
    load,
    preset_record,
    print_json,
    read_reported,
    require_writable,
    say,
    screen,
)
from workbench.cli.options import command
from workbench.cli.terminal import watched
from workbench.model.choice import ModelChoice
from workbench.search.scan_result import Scan
from workbench.search.scan_settings import ScanSettings
from workbench.work.stop import Stop

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel

__all__ = ["scan"]

SHOWN = 12


@command("scan")
def scan(
    file: FactsPath,
    settings: ScanSettings,
    choice: ModelChoice,
    columns: Columns = None,
    encoding: Encoding = "",
    plot: PlotPath = None,
    as_json: Json = False,
) -> None:
    """Scans every matrix."""
    require_writable(plot)
    found = read_reported(file, columns, encoding)
    base = load(choice)

    from workbench.search.scan import scanning

    report = watched("Scanning", scanning(base, found.facts, settings, stop=Stop()))
    preset = base.preset
    if plot is not None:
        _plot_scan(plot, report, base)
    if as_json:
        data = report.as_dict()
        for row in data["rows"]:
            row["preset"] = row["at"] in preset.at
        print_json({"model": base.name, **data, "preset": preset_record(base)})
        return
    table = Table("location", "relative gradient", "overlap", box=None, pad_edge=False)
    strongest = sorted(report.rows, key=lambda row: -row.relative)
    for row in strongest[:SHOWN]:
        mark = " (preset)" if row.at in preset.at else ""
        table.add_row(row.at + mark, f"{row.relative:.2e}", f"{row.overlap:.1%}")
    screen().print(table)
    if len(strongest) > SHOWN:
        say(f"… and {len(strongest) - SHOWN} more; --json lists all, --plot draws them.")
    say("A scan ranks no locations: 'workbench sweep' tries them.")


def _plot_scan(path: Path, report: Scan, base: "LanguageModel") -> None:
    import pandas as pd

    from workbench.plots.scan import scan_heatmap
    from workbench.plots.style import write_html

    rows = pd.DataFrame([asdict(row) for row in report.places])
    preset = base.preset
    note = f"{report.sample} of {report.facts} facts on {base.name}."
    figures = [
        scan_heatmap(rows, column, preset=preset.at, source=preset.source, note=note)
        for column in ("relative", "overlap")
    ]
    write_html(path, figures, f"Scan of {base.name}")
