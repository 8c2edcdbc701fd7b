"""The report's own look: the page's colours, for reading and for print."""

from workbench.work.colours import report_variables

__all__ = ["STYLE"]

STYLE = (
    report_variables()
    + """
:root { color-scheme:light dark; }
body { margin:0; background:var(--page); color:var(--text); font:14px/1.5 system-ui, sans-serif; }
main { max-width:980px; margin:0 auto; padding:24px 16px 60px; }
h1 { font-size:22px; margin:0 0 4px; } h2 { font-size:16px; margin:0 0 8px; }
h3 { font-size:14px; margin:16px 0 2px; } p { margin:4px 0 8px; }
.card { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:18px;
  margin:16px 0; break-inside:avoid-page; }
.quiet { color:var(--quiet); font-size:12px; } .mono, .num, pre { font-family:ui-monospace,
  Menlo, Consolas, monospace; font-size:12px; }
.scroll { overflow-x:auto; } table { border-collapse:collapse; width:100%; }
td, th { text-align:left; vertical-align:top; padding:6px 10px 6px 0;
  border-bottom:1px solid var(--line); overflow-wrap:anywhere; }
th { font-weight:500; color:var(--quiet); font-size:12px; } .num { text-align:right;
  white-space:nowrap; font-variant-numeric:tabular-nums; }
.pairs th { width:200px; } pre { background:var(--code); padding:10px; border-radius:6px;
  white-space:pre-wrap; overflow-wrap:anywhere; }
.strip, .taskbar { display:block; position:relative; height:10px; min-width:120px; margin:3px 0; }
.strip::before { content:""; position:absolute; left:0; right:0; top:5px;
  border-top:1px solid var(--line); }
.strip i { position:absolute; top:3px; height:5px; border-radius:3px; background:var(--accent);
  opacity:.35; min-width:2px; } .strip b { position:absolute; top:0; width:3px; height:11px;
  margin-left:-1px; background:var(--accent); border-radius:1px; }
.strip.before i, .strip.before b { background:var(--quiet); }
.taskbar i { position:absolute; left:0; top:1px; height:8px; background:var(--accent);
  border-radius:2px; } .taskbar.before i { background:var(--grey-bar); }
.taskbar u { position:absolute; top:4px; height:2px; background:var(--text); }
svg.loss { width:100%; height:auto; } svg.loss path { fill:none; stroke:var(--accent);
  stroke-width:2; } svg.loss circle { fill:var(--accent); } svg.loss text { fill:var(--quiet);
  font:11px system-ui, sans-serif; } svg.loss .grid { stroke:var(--line); }
svg.loss .floor { stroke:var(--amber); stroke-dasharray:4 4; } figure { margin:12px 0 0; }
svg.rivals { width:100%; height:auto; max-width:720px; } svg.rivals text { fill:var(--quiet);
  font:11px system-ui, sans-serif; } svg.rivals .grid { stroke:var(--line); }
svg.rivals circle, svg.rivals rect, svg.rivals .mark { fill:var(--accent); }
svg.rivals .pareto { fill:none; stroke:var(--amber); stroke-width:1.5; }
@media print { body { background:var(--paper); } .card { border-color:var(--paper-line); } }
"""
)
