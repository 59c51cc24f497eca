// Draws networks by two quantities; text reaches the page only through textContent or escaped.
const rows = D.rows.filter((r) => r.cells.filter((c) => c.value !== null).length > 1);
const fill = (id) => { rows.forEach((r) => { const o = element("option", r.title); o.value = r.title; byId(id).append(o); }); byId(id).value = D.axes[id]; };
const rowOf = (id) => rows.find((r) => r.title === byId(id).value);
const titleOf = (row) => escaped(row.title + (row.unit ? ` (${row.unit})` : ""));
function draw() {
  const x = rowOf("x-axis"), y = rowOf("y-axis"), size = rowOf("size");
  const points = D.names.map((name, i) => ({ name, x: x.cells[i], y: y.cells[i], size: size ? size.cells[i] : { value: 0.1, text: "" } })).filter((p) => p.x.value !== null && p.y.value !== null);
  const most = size ? Math.max(...points.map((p) => p.size.value || 0), 1e-300) : 1, at = points.map((p) => p.x.value);
  const share = (values, log) => { const v = values.map((n) => (log ? Math.log10(n) : n)), low = Math.min(...v), high = Math.max(...v); return v.map((n) => (high > low ? 0.07 + (0.86 * (n - low)) / (high - low) : 0.5)); };
  const xs = share(at, byId("x-log").checked), ys = share(points.map((p) => p.y.value), byId("y-log").checked);
  byId("missing").textContent = points.length < D.names.length ? D.names.length - points.length + " of the networks lack one of the two figures." : "";
  const labels = points.map((p) => wrapped(p.name.replace(/ on (.*)/, " (on $1)"), 24));
  Plotly.react("plot", [{ mode: "markers+text", x: at.map((v) => v / x.factor), y: points.map((p) => p.y.value / y.factor), text: labels,
    textposition: places(at.map((_, i) => [xs[i], ys[i]]), labels, byId("plot").clientWidth - 110, byId("plot").clientHeight - 95, 18), textfont: { size: NARROW.matches ? 11 : 12, color: css("--ink") },
    marker: { size: points.map((p) => 10 + 40 * Math.sqrt((p.size.value || 0) / most)), color: points.map((_, i) => PALETTE[i % PALETTE.length]), opacity: 0.75, line: { color: css("--paper"), width: 1 } },
    customdata: points.map((p) => [p.x.text, p.y.text, p.size.text, p.name].map(escaped)),
    hovertemplate: `<b>%{customdata[3]}</b><br>${escaped(x.title)}: %{customdata[0]}<br>${escaped(y.title)}: %{customdata[1]}` + (size ? `<br>${escaped(size.title)}: %{customdata[2]}` : "") + "<extra></extra>", cliponaxis: false }],
  layout({ margin: { l: 70, r: 40, t: 40, b: 55 }, xaxis: axis({ title: { text: titleOf(x) }, type: byId("x-log").checked ? "log" : "linear" }),
    yaxis: axis({ title: { text: titleOf(y) }, type: byId("y-log").checked ? "log" : "linear" }) }), CONFIG);
}
if (rows.length > 1) {
  ["x-axis", "y-axis", "size"].forEach(fill);
  byId("size").prepend(Object.assign(element("option", "alike"), { value: "" }));
  if (!D.axes.size) byId("size").value = "";
  const spread = (id) => { const v = rowOf(id).cells.map((c) => c.value).filter((n) => n > 0); byId(id.replace("axis", "log")).checked = v.length > 1 && Math.max(...v) > 10 * Math.min(...v); };
  ["x-axis", "y-axis"].forEach((id) => { spread(id); byId(id).addEventListener("change", () => { spread(id); draw(); }); });
  ["size", "x-log", "y-log"].forEach((id) => byId(id).addEventListener("change", draw));
  start(draw);
} else { byId("tradeoff").hidden = true; document.body.dataset.ready = "yes"; }
