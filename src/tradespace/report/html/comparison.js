"use strict";
// Draws networks by two quantities; text reaches the page only through textContent or escaped.
const D = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;");
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7a7a7a"];
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
const rows = D.rows.filter((r) => r.cells.filter((c) => c.value !== null).length > 1);
const fill = (id, first) => {
  rows.forEach((r) => { const o = document.createElement("option"); o.textContent = r.title; o.value = r.title; byId(id).append(o); });
  const found = first.find((t) => rows.some((r) => r.title === t)); if (found) byId(id).value = found;
};
const rowOf = (id) => rows.find((r) => r.title === byId(id).value);
const axis = (more) => Object.assign({ gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true, exponentformat: "SI" }, more);
function draw() {
  const x = rowOf("x-axis"), y = rowOf("y-axis"), size = rowOf("size");
  const points = D.names.map((name, i) => ({ name, x: x.cells[i], y: y.cells[i], size: size.cells[i] })).filter((p) => p.x.value !== null && p.y.value !== null);
  const most = Math.max(...points.map((p) => p.size.value || 0), 1e-300);
  byId("missing").textContent = points.length < D.names.length ? D.names.length - points.length + " of the networks lack one of the two figures." : "";
  Plotly.react("plot", [{ mode: "markers+text", x: points.map((p) => p.x.value), y: points.map((p) => p.y.value), text: points.map((p) => escaped(p.name)), textposition: "top center",
    marker: { size: points.map((p) => 10 + 50 * Math.sqrt((p.size.value || 0) / most)), color: points.map((_, i) => PALETTE[i % PALETTE.length]), opacity: 0.75, line: { color: css("--paper"), width: 1 } },
    customdata: points.map((p) => [p.x.text, p.y.text, p.size.text].map(escaped)),
    hovertemplate: "<b>%{text}</b><br>" + escaped(x.title) + ": %{customdata[0]}<br>" + escaped(y.title) + ": %{customdata[1]}<br>" + escaped(size.title) + ": %{customdata[2]}<extra></extra>", cliponaxis: false }],
  { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 70, r: 40, t: 40, b: 55 }, font: { color: css("--ink"), family: "system-ui, sans-serif", size: 13 }, hovermode: "closest", showlegend: false, modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--accent") },
    xaxis: axis({ title: { text: escaped(x.title) }, type: byId("x-log").checked ? "log" : "linear" }), yaxis: axis({ title: { text: escaped(y.title) }, type: byId("y-log").checked ? "log" : "linear" }) }, CONFIG);
}
if (rows.length) {
  fill("x-axis", ["latency", "MACs"]); fill("y-axis", ["top-1 accuracy", "samples a second", "parameters"]); fill("size", ["parameters", "weights"]);
  ["x-axis", "y-axis", "size", "x-log", "y-log"].forEach((id) => byId(id).addEventListener("change", draw));
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
} else byId("tradeoff").hidden = true;
document.body.dataset.ready = "yes";
