"use strict";
// Draws the report from the embedded data; text reaches the page only through textContent.
const D = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const quality = Object.fromEntries(D.qualities.map((q) => [q.name, q]));
const SCALES = { s: [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]], B: [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]] };
// Okabe and Ito's palette, told apart by people with any kind of color vision.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7a7a7a"];
const SYMBOL = { feasible: "circle", undecided: "diamond", infeasible: "x", excluded: "circle-open", failed: "x-thin" };
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const color = (c) => ({ feasible: css("--met"), undecided: css("--unknown"), infeasible: css("--missed") }[c.standing] || css("--soft"));
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };

function scaleOf(name, values) {
  const unit = quality[name] ? quality[name].unit : "1";
  const largest = Math.max(...values.filter((v) => v !== null).map(Math.abs), 0);
  const found = (SCALES[unit] || []).find(([factor]) => largest >= factor) || (SCALES[unit] || []).at(-1);
  return found ? { factor: found[0], unit: found[1] } : { factor: 1, unit: unit === "1" ? "" : unit };
}
const titleOf = (name, scale) => (quality[name] ? quality[name].title : name) + (scale && scale.unit ? ` (${scale.unit})` : "");
const layout = (more) => Object.assign({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 70, r: 20, t: 20, b: 55 },
  font: { color: css("--ink"), family: "system-ui, sans-serif", size: 13 }, hovermode: "closest",
  legend: { orientation: "h", y: -0.18 }, showlegend: false,
  modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--accent") },
}, more);
const axis = (more) => Object.assign({ gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true }, more);
const element = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const measured = () => D.candidates.filter((c) => Object.keys(c.readings).length);

// ---- table ------------------------------------------------------------------------------------
const asked = D.qualities.filter((q) => q.asked).map((q) => q.name);
const columns = [
  { title: "candidate", sort: (c) => c.name, cell: (c) => element("td", c.name + (c.pareto ? " ★" : "")) },
  { title: "standing", sort: (c) => ["feasible", "undecided", "infeasible", "excluded", "failed"].indexOf(c.standing),
    cell: (c) => { const td = element("td"); td.append(element("span", c.standing, "verdict " + c.standing)); return td; } },
  ...asked.map((name) => ({
    title: quality[name].title, sort: (c) => (c.readings[name] || {}).value ?? null,
    cell: (c) => {
      const check = c.checks.find((k) => k.quality === name);
      return element("td", c.readings[name] ? c.readings[name].text : "-", "number " + (check ? check.verdict : ""));
    },
  })),
];
if (D.objectives.length) columns.push({ title: "utility", sort: (c) => c.utility, cell: (c) => element("td", c.utility === null ? "-" : c.utility.toFixed(3), "number") });
const state = { column: null, down: false, text: "", standings: new Set(D.candidates.map((c) => c.standing)) };

function drawTable() {
  const head = element("tr");
  columns.forEach((column, index) => {
    const th = element("th", column.title + (state.column === index ? (state.down ? " ▾" : " ▴") : ""));
    th.tabIndex = 0; th.setAttribute("role", "columnheader");
    th.setAttribute("aria-sort", state.column === index ? (state.down ? "descending" : "ascending") : "none");
    const sort = () => { state.down = state.column === index ? !state.down : false; state.column = index; drawTable(); };
    th.addEventListener("click", sort);
    th.addEventListener("keydown", (e) => { if (e.key === "Enter") sort(); });
    head.append(th);
  });
  document.querySelector("#table thead").replaceChildren(head);
  let rows = D.candidates.filter((c) => state.standings.has(c.standing) && (c.name + " " + c.family).toLowerCase().includes(state.text));
  if (state.column !== null) {
    const key = columns[state.column].sort;
    rows = rows.slice().sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      return (x < y ? -1 : x > y ? 1 : 0) * (state.down ? -1 : 1);
    });
  }
  document.querySelector("#table tbody").replaceChildren(...rows.map((c) => {
    const tr = element("tr", undefined, c.best ? "best" : "");
    columns.forEach((column) => tr.append(column.cell(c)));
    tr.addEventListener("click", () => detail(c));
    return tr;
  }));
}
byId("filter").addEventListener("input", (e) => { state.text = e.target.value.toLowerCase(); drawTable(); });
[...state.standings].forEach((name) => {
  const label = element("label"), box = element("input");
  box.type = "checkbox"; box.checked = true;
  box.addEventListener("change", () => { box.checked ? state.standings.add(name) : state.standings.delete(name); drawTable(); });
  label.append(box, " " + name + " "); byId("standings").append(label);
});

function rowsOf(head, rows) {
  const table = element("table"), top = element("tr"), body = element("tbody"), thead = element("thead");
  head.forEach((h) => top.append(element("th", h))); thead.append(top);
  rows.forEach((cells) => { const tr = element("tr"); cells.forEach((cell) => tr.append(element("td", cell))); body.append(tr); });
  table.append(thead, body); return table;
}
function detail(c) {
  const body = byId("detail-body");
  body.replaceChildren(element("h2", c.name), element("p", `${c.family}, ${c.standing}${c.runtime ? ", served by " + c.runtime : ""}`));
  if (c.why && c.standing !== "undecided") body.append(element("p", c.why));
  if (c.checks.length) body.append(element("h3", "Requirements"), rowsOf(["requirement", "reading", "verdict", "to settle it"], c.checks.map((k) => [k.text, k.reading, k.verdict, k.settle])));
  body.append(element("h3", "Readings"), rowsOf(["quality", "reading", "how"], Object.entries(c.readings).map(([n, r]) => [titleOf(n), r.text, r.kind + ": " + r.method])));
  body.append(element("h3", "Settings"), rowsOf(["setting", "value"], Object.entries(c.settings)));
  byId("detail").showModal();
}
byId("close").addEventListener("click", () => byId("detail").close());

// ---- plots ------------------------------------------------------------------------------------
function drawCut() {
  const start = D.candidates.length, labels = ["all candidates", ...D.cuts.map((c) => c.label)];
  const left = [start, ...D.cuts.map((c) => c.left)];
  const hover = ["", ...D.cuts.map((c) => (c.removed.length ? "cut: " + c.removed.slice(0, 12).join(", ") : "cut nobody"))];
  const text = left.map((n, i) => (i ? `${n} left` + (D.cuts[i - 1].unknown ? `, ${D.cuts[i - 1].unknown} of them undecided here` : "") : `${n}`));
  byId("plot-cut").style.height = 90 + 38 * labels.length + "px";
  Plotly.react("plot-cut", [{ type: "bar", orientation: "h", y: labels, x: left, text, hovertext: hover, textposition: "auto",
    hovertemplate: "%{y}: %{x} left<br>%{hovertext}<extra></extra>", marker: { color: css("--accent") } }],
  layout({ xaxis: axis({ title: { text: "candidates left" }, rangemode: "tozero", dtick: start > 12 ? undefined : 1 }), yaxis: axis({ autorange: "reversed" }) }), CONFIG);
}

const withValue = (name) => measured().filter((c) => c.readings[name] && c.readings[name].value !== null);
const usable = D.qualities.filter((q) => withValue(q.name).length);
const fill = (select, chosen) => { usable.forEach((q) => { const o = element("option", q.title); o.value = q.name; select.append(o); }); if (chosen) select.value = chosen; };
const bars = (points, name, scale) => ({
  type: "data", symmetric: false, thickness: 1, width: 3,
  array: points.map((c) => (c.readings[name].high === null ? 0 : (c.readings[name].high - c.readings[name].value) / scale.factor)),
  arrayminus: points.map((c) => (c.readings[name].low === null ? 0 : (c.readings[name].value - c.readings[name].low) / scale.factor)),
});
function front(points, x, y) {
  const better = (name, a, b) => (quality[name].direction === "maximize" ? a > b : a < b);
  const value = (c, n) => c.readings[n].value;
  return points.filter((c) => !points.some((o) => o !== c && !better(x, value(c, x), value(o, x)) && !better(y, value(c, y), value(o, y))
    && (better(x, value(o, x), value(c, x)) || better(y, value(o, y), value(c, y))))).sort((a, b) => value(a, x) - value(b, x));
}
// The side of each bound that is not allowed, as shapes.
function forbidden(name, letter, scale) {
  const other = letter === "x" ? "y" : "x";
  return D.constraints.filter((k) => k.quality === name && k.bound !== null).flatMap((k) => {
    const most = k.sense.startsWith("<"), bound = k.bound / scale.factor;
    const line = { type: "line", [letter + "0"]: bound, [letter + "1"]: bound, [other + "0"]: 0, [other + "1"]: 1, [other + "ref"]: "paper", [letter + "ref"]: letter, line: { color: css("--missed"), width: 1, dash: "dash" } };
    return [Object.assign({ most, bound }, line)];
  });
}
function shaded(shapes, range, letter, log) {
  return shapes.flatMap((shape) => {
    const { most, bound, ...line } = shape;
    const ends = range.map((v) => (log ? 10 ** v : v)), other = letter === "x" ? "y" : "x";
    const from = most ? bound : Math.min(ends[0], bound), to = most ? Math.max(ends[1], bound) : bound;
    if (log && from <= 0) return [line];
    return [line, { type: "rect", layer: "below", [letter + "0"]: from, [letter + "1"]: to, [letter + "ref"]: letter,
      [other + "0"]: 0, [other + "1"]: 1, [other + "ref"]: "paper", fillcolor: css("--missed"), opacity: 0.07, line: { width: 0 } }];
  });
}
function rangeOf(points, name, scale, log) {
  const values = points.flatMap((c) => [c.readings[name].low, c.readings[name].value, c.readings[name].high]).filter((v) => v !== null && (!log || v > 0)).map((v) => v / scale.factor);
  let low = Math.min(...values), high = Math.max(...values);
  if (log) { low = Math.log10(low); high = Math.log10(high); }
  const pad = (high - low || Math.abs(high) || 1) * 0.12;
  return [low - pad, high + pad];
}
function drawTradeoff() {
  const x = byId("x-axis").value, y = byId("y-axis").value, xLog = byId("x-log").checked, yLog = byId("y-log").checked;
  const points = measured().filter((c) => [x, y].every((n) => c.readings[n] && c.readings[n].value !== null));
  const sx = scaleOf(x, points.map((c) => c.readings[x].value)), sy = scaleOf(y, points.map((c) => c.readings[y].value));
  const at = (c, n, s) => c.readings[n].value / s.factor;
  const line = front(points.filter((c) => c.standing !== "infeasible"), x, y);
  const traces = [{ mode: "lines", x: line.map((c) => at(c, x, sx)), y: line.map((c) => at(c, y, sy)), line: { dash: "dot", color: css("--soft"), width: 1.5 }, hoverinfo: "skip", name: "front" }];
  for (const standing of ["excluded", "infeasible", "undecided", "feasible"]) {
    const some = points.filter((c) => c.standing === standing);
    if (!some.length) continue;
    traces.push({ mode: standing !== "excluded" && points.length <= 20 ? "markers+text" : "markers", name: standing, x: some.map((c) => at(c, x, sx)), y: some.map((c) => at(c, y, sy)),
      text: some.map((c) => c.name), textposition: "top center", textfont: { size: 11 },
      customdata: some.map((c) => [c.readings[x].text, c.readings[y].text, c.standing]),
      hovertemplate: `<b>%{text}</b> (%{customdata[2]})<br>${titleOf(x)}: %{customdata[0]}<br>${titleOf(y)}: %{customdata[1]}<extra></extra>`,
      error_x: bars(some, x, sx), error_y: bars(some, y, sy),
      marker: { size: some.map((c) => (c.best ? 15 : 10)), symbol: SYMBOL[standing], color: some.map(color), line: { width: some.map((c) => (c.best ? 2 : 0.5)), color: css("--ink") } } });
  }
  const rx = rangeOf(points, x, sx, xLog), ry = rangeOf(points, y, sy, yLog);
  Plotly.react("plot-tradeoff", traces, layout({
    showlegend: true,
    xaxis: axis({ title: { text: titleOf(x, sx) }, type: xLog ? "log" : "linear", range: rx }), yaxis: axis({ title: { text: titleOf(y, sy) }, type: yLog ? "log" : "linear", range: ry }),
    shapes: [...shaded(forbidden(x, "x", sx), rx, "x", xLog), ...shaded(forbidden(y, "y", sy), ry, "y", yLog)],
  }), CONFIG);
}
function drawIntervals() {
  const name = byId("interval-quality").value;
  const points = withValue(name).slice(0, 40), scale = scaleOf(name, points.map((c) => c.readings[name].value));
  byId("plot-intervals").style.height = 120 + 30 * points.length + "px";
  const range = rangeOf(points, name, scale, false);
  const bounds = D.constraints.filter((k) => k.quality === name && k.bound !== null).map((k) => k.bound / scale.factor);
  if (bounds.length) { const pad = (range[1] - range[0]) * 0.05; range[0] = Math.min(range[0], ...bounds.map((b) => b - pad)); range[1] = Math.max(range[1], ...bounds.map((b) => b + pad)); }
  const lengths = points.map((c) => c.readings[name].value / scale.factor);
  if (bounds.length && Math.max(...bounds) > 5 * Math.max(...lengths)) { range[0] = rangeOf(points, name, scale, false)[0]; range[1] = rangeOf(points, name, scale, false)[1]; }
  Plotly.react("plot-intervals", [{ mode: "markers", x: points.map((c) => c.readings[name].value / scale.factor), y: points.map((c) => c.name),
    error_x: bars(points, name, scale), marker: { size: 9, color: points.map(color), symbol: points.map((c) => SYMBOL[c.standing]) },
    customdata: points.map((c) => [c.readings[name].text, c.readings[name].method]), hovertemplate: "<b>%{y}</b><br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>" }],
  layout({ xaxis: axis({ title: { text: titleOf(name, scale) }, range }), yaxis: axis({ autorange: "reversed", type: "category" }), shapes: shaded(forbidden(name, "x", scale), range, "x", false) }), CONFIG);
}
function drawParallel() {
  const points = measured(), names = usable.filter((q) => withValue(q.name).length > 1).map((q) => q.name);
  const extent = Object.fromEntries(names.map((n) => { const v = withValue(n).map((c) => c.readings[n].value); return [n, [Math.min(...v), Math.max(...v)]]; }));
  const height = (c, n) => {
    const r = c.readings[n]; if (!r || r.value === null) return null;
    const [low, high] = extent[n], spread = low > 0 && high / low > 50;
    const f = spread ? Math.log : (v) => v;
    const share = high === low ? 0.5 : (f(r.value) - f(low)) / (f(high) - f(low));
    return quality[n].direction === "maximize" ? share : 1 - share;
  };
  const order = points.slice().sort((a, b) => (a.best ? 1 : 0) - (b.best ? 1 : 0));
  const traces = order.map((c) => ({ mode: "lines+markers", name: c.name, x: names.map((n) => titleOf(n)), y: names.map((n) => height(c, n)), connectgaps: true,
    customdata: names.map((n) => (c.readings[n] ? c.readings[n].text : "not measured")), hovertemplate: "<b>" + c.name.replace(/</g, "&lt;") + "</b><br>%{x}: %{customdata}<extra></extra>",
    opacity: c.best ? 1 : 0.65, line: { color: color(c), width: c.best ? 4 : 1.5 }, marker: { size: c.best ? 8 : 5, symbol: SYMBOL[c.standing] } }));
  const marks = names.flatMap((n) => { const s = scaleOf(n, extent[n]), up = quality[n].direction === "maximize";
    const show = (v) => { const t = v / s.factor; return (Math.abs(t) >= 100 ? t.toFixed(0) : t.toPrecision(3)) + (s.unit ? " " + s.unit : ""); };
    return [[1.06, up ? extent[n][1] : extent[n][0]], [-0.06, up ? extent[n][0] : extent[n][1]]].map(([y, v]) => ({ x: titleOf(n), y, text: show(v), showarrow: false, font: { size: 10, color: css("--soft") } })); });
  Plotly.react("plot-parallel", traces, layout({ margin: { l: 30, r: 20, t: 10, b: 120 }, annotations: marks,
    xaxis: axis({ tickangle: -40, type: "category" }), yaxis: axis({ visible: false, range: [-0.12, 1.12] }) }), CONFIG);
}
const CURVES = { roc: ["ROC", "false positive rate", "true positive rate"], precision_recall: ["Precision and recall", "recall", "precision"],
  calibration: ["Calibration", "mean score", "share positive"], predicted_true: ["Predicted against true", "true", "predicted"] };
function drawCurves() {
  const kind = byId("curve-kind").value;
  if (!kind) { byId("curves").hidden = true; return; }
  const points = D.candidates.filter((c) => c.curves[kind]).slice(0, 8), [, xTitle, yTitle] = CURVES[kind];
  const traces = points.map((c, i) => ({ mode: kind === "roc" || kind === "precision_recall" ? "lines" : kind === "calibration" ? "lines+markers" : "markers", name: c.name,
    x: c.curves[kind].x, y: c.curves[kind].y, line: { color: PALETTE[i % PALETTE.length], width: c.best ? 3 : 1.5, shape: kind === "roc" ? "hv" : "linear" }, marker: { color: PALETTE[i % PALETTE.length] } }));
  const ends = kind === "predicted_true" ? [Math.min(...points.flatMap((c) => c.curves[kind].x)), Math.max(...points.flatMap((c) => c.curves[kind].x))] : [0, 1];
  const shapes = kind === "precision_recall" ? [] : [{ type: "line", x0: ends[0], y0: ends[0], x1: ends[1], y1: ends[1], line: { dash: "dot", color: css("--soft"), width: 1 } }];
  const unit = kind === "roc" || kind === "precision_recall" ? { range: [-0.01, 1.01] } : {};
  Plotly.react("plot-curves", traces, layout({ showlegend: true, shapes, xaxis: axis({ title: { text: xTitle }, ...unit }), yaxis: axis({ title: { text: yTitle }, ...unit }) }), CONFIG);
}
function drawSettle() {
  const open = D.candidates.filter((c) => c.standing === "undecided").flatMap((c) => c.checks.filter((k) => k.verdict === "unknown").map((k) => [c.name, k.text, k.reading, k.chance, k.settle]));
  if (open.length) byId("settle").replaceChildren(element("h3", "What would settle the unknowns"), rowsOf(["candidate", "requirement", "reading", "met with", "to settle it"], open));
}

// ---- start ------------------------------------------------------------------------------------
const first = D.objectives.map((o) => o.quality).concat(asked, usable.map((q) => q.name)).filter((n, i, all) => quality[n] && withValue(n).length && all.indexOf(n) === i);
fill(byId("x-axis"), first.find((n) => n !== first[0] && quality[n].unit !== quality[first[0]].unit) || first[1] || first[0]); fill(byId("y-axis"), first[0]); fill(byId("interval-quality"), asked.find((n) => withValue(n).length) || first[0]);
const spreads = (n) => { const v = withValue(n).map((c) => c.readings[n].value); return v.length > 1 && Math.min(...v) > 0 && Math.max(...v) / Math.min(...v) > 30; };
const autoLog = (letter) => { byId(letter + "-log").checked = spreads(byId(letter + "-axis").value); };
Object.entries(CURVES).filter(([k]) => D.candidates.some((c) => c.curves[k])).forEach(([k, [title]]) => { const o = element("option", title); o.value = k; byId("curve-kind").append(o); });
if ([...byId("curve-kind").options].some((o) => o.value === "precision_recall")) byId("curve-kind").value = "precision_recall";
for (const letter of ["x", "y"]) {
  byId(letter + "-axis").addEventListener("change", () => { autoLog(letter); drawTradeoff(); });
  byId(letter + "-log").addEventListener("change", drawTradeoff);
  if (usable.length) autoLog(letter);
}
byId("interval-quality").addEventListener("change", drawIntervals);
byId("curve-kind").addEventListener("change", drawCurves);
function draw() {
  drawTable(); drawSettle(); drawCut();
  if (usable.length) { drawTradeoff(); drawIntervals(); drawParallel(); } else ["tradeoff", "intervals", "parallel"].forEach((id) => { byId(id).hidden = true; });
  drawCurves();
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
document.body.dataset.ready = "yes";
