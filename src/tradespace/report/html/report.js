// Draws the report from the embedded data; text reaches the page only through textContent.
const quality = Object.fromEntries(D.qualities.map((q) => [q.name, q]));
const SYMBOL = { feasible: "circle", undecided: "diamond", infeasible: "x", excluded: "circle-open", failed: "x-thin" };
const INK = { feasible: "--met", undecided: "--unknown", infeasible: "--missed" };
const color = (c) => css(INK[c.standing] || "--soft");
const scaleOf = (name) => (quality[name] ? quality[name].scale : { factor: 1, unit: "" });
const titleOf = (name, scale) => escaped((quality[name] ? quality[name].title : name) + (scale && scale.unit ? ` (${scale.unit})` : ""));
const measured = () => D.candidates.filter((c) => Object.keys(c.readings).length);
const NOTES = {
  validation: "validation: read on validation rows, of a candidate that was left out before the test split; not comparable with readings on test rows to the last digit.",
  predicted: "predicted: foretold before training, not measured.",
  unsettled: "Unsettled readings stand at the value seen, hollow and without a bar: how far off they may be is not known.",
};
const note = (id, words) => { byId(id).textContent = words.filter(Boolean).join(" "); };
// How readings of a candidate were taken where that is not on the rows that decide.
const tagOf = (c, names) => names.map((n) => (c.readings[n] || {}).tag).find(Boolean) || "";
const tagged = (points, names) => ["validation", "predicted"].filter((t) => points.some((c) => tagOf(c, names) === t)).map((t) => NOTES[t]);
const unsettled = (c, names) => names.some((n) => c.readings[n].unsettled);
// Candidates in groups that look alike: [label, candidates].
function groups(points, names) {
  const found = new Map();
  for (const standing of ["excluded", "failed", "infeasible", "undecided", "feasible"]) points.filter((c) => c.standing === standing).forEach((c) => {
    const tag = tagOf(c, names), label = standing + (tag ? ", " + tag : "");
    found.set(label, [...(found.get(label) || []), c]);
  });
  return [...found];
}
const symbolOf = (c, names) => (tagOf(c, names) || unsettled(c, names) ? SYMBOL[c.standing].replace(/(-open)?$/, "-open") : SYMBOL[c.standing]);

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
      const r = c.readings[name], td = element("td", r ? r.text : "-", "number " + (check ? check.verdict : ""));
      if (r && r.tag) { td.classList.add("aside"); td.append(" ", element("small", r.tag)); }
      return td;
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
  note("table-note", tagged(rows, asked));
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
  body.append(element("h3", "Readings"), rowsOf(["quality", "reading", "how"], Object.entries(c.readings).map(([n, r]) => [titleOf(n), r.text, (r.tag === "validation" ? "on validation rows, " : "") + r.kind + ": " + r.method])));
  body.append(element("h3", "Settings"), rowsOf(["setting", "value"], Object.entries(c.settings)));
  byId("detail").showModal();
}
byId("close").addEventListener("click", () => byId("detail").close());

// ---- plots ------------------------------------------------------------------------------------
function drawCut() {
  const first = D.candidates.length, left = [first, ...D.cuts.map((c) => c.left)];
  const hover = ["", ...D.cuts.map((c) => escaped(c.removed.length ? "cut: " + c.removed.slice(0, 12).join(", ") : "cut nobody"))];
  const text = left.map((n, i) => (i ? `${n} left` + (D.cuts[i - 1].unknown ? `, ${D.cuts[i - 1].unknown} of them undecided here` : "") : `${n}`));
  const names = ["all candidates", ...D.cuts.map((c) => c.label)].map((name, i) => (NARROW.matches ? `${name}: ${text[i]}` : name));
  const rows = lanes(names);
  byId("plot-cut").style.height = 90 + (NARROW.matches ? 52 : 38) * names.length + "px";
  Plotly.react("plot-cut", [{ type: "bar", orientation: "h", y: names.map((_, i) => i), x: left, text: NARROW.matches ? undefined : text, customdata: names.map((n, i) => [escaped(n), hover[i]]),
    textposition: "auto", insidetextanchor: "start", insidetextfont: { color: css("--paper") }, outsidetextfont: { color: css("--ink") }, cliponaxis: false, width: NARROW.matches ? 0.4 : 0.75,
    hovertemplate: "%{customdata[0]}: %{x} left<br>%{customdata[1]}<extra></extra>", marker: { color: css("--accent") } }],
  layout({ ...rows, margin: { l: NARROW.matches ? 10 : 70, r: 20, t: 10, b: 45 }, xaxis: axis({ title: { text: "candidates left" }, rangemode: "tozero", dtick: first > 12 ? undefined : 1 }) }), { ...CONFIG, displayModeBar: false });
}

const withValue = (name) => measured().filter((c) => c.readings[name] && c.readings[name].value !== null);
const usable = D.qualities.filter((q) => withValue(q.name).length);
const fill = (select, chosen) => { usable.forEach((q) => { const o = element("option", q.title); o.value = q.name; select.append(o); }); if (chosen) select.value = chosen; };
// Whiskers: none where a reading is unsettled, out of the plot on a side that is open.
const bars = (points, name, scale, range, ink) => {
  const far = 2 * Math.abs(range[1] - range[0]);
  const side = (c, end, sign) => { const r = c.readings[name]; return r.unsettled ? 0 : r[end] === null ? far : (sign * (r[end] - r.value)) / scale.factor; };
  return { type: "data", symmetric: false, thickness: 1, width: 3, color: ink, array: points.map((c) => side(c, "high", 1)), arrayminus: points.map((c) => side(c, "low", -1)) };
};
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
  const ends = (r) => (r.unsettled ? [r.value] : [r.low, r.value, r.high]);
  const values = points.flatMap((c) => ends(c.readings[name])).filter((v) => v !== null && (!log || v > 0)).map((v) => v / scale.factor);
  let low = Math.min(...values), high = Math.max(...values);
  if (log) { low = Math.log10(low); high = Math.log10(high); }
  const pad = (high - low || Math.abs(high) || 1) * 0.12;
  return [low - pad, high + pad];
}
function drawTradeoff() {
  const x = byId("x-axis").value, y = byId("y-axis").value, xLog = byId("x-log").checked, yLog = byId("y-log").checked, both = [x, y];
  const points = measured().filter((c) => both.every((n) => c.readings[n] && c.readings[n].value !== null));
  const sx = scaleOf(x), sy = scaleOf(y), at = (c, n, s) => c.readings[n].value / s.factor;
  const rx = rangeOf(points, x, sx, xLog), ry = rangeOf(points, y, sy, yLog), plain = (range, log) => (log ? range.map((v) => 10 ** v) : range);
  const line = front(points.filter((c) => (c.standing === "feasible" || c.standing === "undecided") && !unsettled(c, both)), x, y);
  const traces = [{ mode: "lines", x: line.map((c) => at(c, x, sx)), y: line.map((c) => at(c, y, sy)), line: { dash: "dot", color: css("--soft"), width: 1.5 }, hoverinfo: "skip", name: "front" }];
  // Names where there is room for them; numbers with a key below where there is not.
  const named = points.filter((c) => points.length <= 20 && c.standing !== "excluded");
  const label = (c) => (!named.includes(c) ? "" : NARROW.matches ? String(named.indexOf(c) + 1) : escaped(c.name));
  const share = (v, range, log) => ((log ? Math.log10(v) : v) - range[0]) / (range[1] - range[0]), box = byId("plot-tradeoff");
  const sides = places(points.map((c) => [share(at(c, x, sx), rx, xLog), share(at(c, y, sy), ry, yLog)]), points.map(label), box.clientWidth - 90, box.clientHeight - 130, 9);
  const side = (c) => sides[points.indexOf(c)];
  for (const [name, some] of groups(points, both)) {
    const ink = color(some[0]);
    traces.push({ mode: "markers+text", name, x: some.map((c) => at(c, x, sx)), y: some.map((c) => at(c, y, sy)),
      text: some.map(label), textposition: some.map(side), textfont: { size: 11, color: css("--ink") }, cliponaxis: false,
      customdata: some.map((c) => [c.readings[x].text, c.readings[y].text, name, c.name].map(escaped)),
      hovertemplate: `<b>%{customdata[3]}</b> (%{customdata[2]})<br>${titleOf(x)}: %{customdata[0]}<br>${titleOf(y)}: %{customdata[1]}<extra></extra>`,
      error_x: bars(some, x, sx, plain(rx, xLog), ink), error_y: bars(some, y, sy, plain(ry, yLog), ink),
      marker: { size: some.map((c) => (c.best ? 15 : 10)), symbol: some.map((c) => symbolOf(c, both)), color: ink, line: { width: some.map((c) => (c.best || symbolOf(c, both).endsWith("-open") ? 2 : 0.5)), color: css("--ink") } } });
  }
  Plotly.react("plot-tradeoff", traces, layout({
    showlegend: true, legend: NARROW.matches ? { orientation: "h", y: -0.22, font: { size: 11 } } : { orientation: "h", y: -0.18 },
    xaxis: axis({ title: { text: titleOf(x, sx) }, type: xLog ? "log" : "linear", range: rx }), yaxis: axis({ title: { text: titleOf(y, sy) }, type: yLog ? "log" : "linear", range: ry }),
    shapes: [...shaded(forbidden(x, "x", sx), rx, "x", xLog), ...shaded(forbidden(y, "y", sy), ry, "y", yLog)],
  }), CONFIG);
  byId("tradeoff-key").replaceChildren(...(NARROW.matches ? named.map((c) => element("li", c.name)) : []));
  note("tradeoff-note", [points.some((c) => unsettled(c, both)) && NOTES.unsettled, ...tagged(points, both)]);
}
function drawIntervals() {
  const name = byId("interval-quality").value, points = withValue(name).slice(0, 40), scale = scaleOf(name);
  byId("plot-intervals").style.height = 130 + (NARROW.matches ? 40 : 32) * points.length + "px";
  const own = rangeOf(points, name, scale, false), range = own.slice();
  const bounds = D.constraints.filter((k) => k.quality === name && k.bound !== null).map((k) => k.bound / scale.factor);
  const longest = Math.max(...points.map((c) => c.readings[name].value / scale.factor));
  // A bound far beyond all readings would press them into a corner.
  if (bounds.length && Math.max(...bounds) <= 5 * longest) { const pad = (own[1] - own[0]) * 0.05; range[0] = Math.min(own[0], ...bounds.map((b) => b - pad)); range[1] = Math.max(own[1], ...bounds.map((b) => b + pad)); }
  const rows = lanes(points.map((c) => c.name));
  const traces = groups(points, [name]).reverse().map(([label, some]) => ({ mode: "markers", name: label, x: some.map((c) => c.readings[name].value / scale.factor), y: some.map((c) => points.indexOf(c)),
    error_x: bars(some, name, scale, range, color(some[0])), marker: { size: 9, color: color(some[0]), symbol: some.map((c) => symbolOf(c, [name])) },
    customdata: some.map((c) => [c.name, c.readings[name].text, c.readings[name].method].map(escaped)), hovertemplate: "<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>" }));
  Plotly.react("plot-intervals", traces, layout({ ...rows, margin: { l: NARROW.matches ? 10 : 70, r: 20, t: 40, b: 50 }, showlegend: true, legend: { orientation: "h", y: 1, yanchor: "bottom" },
    xaxis: axis({ title: { text: titleOf(name, scale) }, range, zeroline: false }), shapes: shaded(forbidden(name, "x", scale), range, "x", false) }), { ...CONFIG, displayModeBar: false });
  note("intervals-note", [points.some((c) => unsettled(c, [name])) && NOTES.unsettled, ...tagged(points, [name])]);
}
function drawParallel() {
  const settled = (n) => withValue(n).filter((c) => !c.readings[n].unsettled), points = measured();
  const names = usable.filter((q) => settled(q.name).length > 1).map((q) => q.name);
  byId("parallel").hidden = !names.length;
  if (!names.length) return;
  // The ends of an axis are readings, and are written as the tables write them.
  const ends = Object.fromEntries(names.map((n) => { const v = settled(n).map((c) => c.readings[n]).sort((a, b) => a.value - b.value); if (quality[n].direction === "minimize") v.reverse(); return [n, [v[0], v.at(-1)]]; }));
  const share = (c, n) => {
    const r = c.readings[n]; if (!r || r.value === null || r.unsettled) return null;
    const [worst, best] = ends[n].map((end) => end.value), low = Math.min(worst, best), high = Math.max(worst, best);
    const f = low > 0 && high / low > 50 ? Math.log : (v) => v;
    return worst === best ? 0.5 : (f(r.value) - f(worst)) / (f(best) - f(worst));
  };
  const traces = points.slice().sort((a, b) => (a.best ? 1 : 0) - (b.best ? 1 : 0)).map((c) => { const aside = tagOf(c, names); return { mode: "lines+markers", name: escaped(c.name),
    y: names.map((_, i) => i), x: names.map((n) => share(c, n)), connectgaps: true, customdata: names.map((n) => [titleOf(n), c.readings[n] ? escaped(c.readings[n].text) : "not measured"]),
    hovertemplate: `<b>${escaped(c.name)}</b>${aside ? ", " + aside : ""}<br>%{customdata[0]}: %{customdata[1]}<extra></extra>`,
    opacity: c.best ? 1 : 0.65, line: { color: color(c), width: c.best ? 4 : 1.5, dash: aside ? "dot" : "solid" }, marker: { size: c.best ? 8 : 5, symbol: SYMBOL[c.standing] } }; });
  const narrow = NARROW.matches, marks = (n) => ends[n].map((end) => end.short);
  const rows = lanes(names.map((n) => quality[n].title + (narrow ? `: ${marks(n).join(" to ")}` : "")));
  const beside = narrow ? [] : names.flatMap((n, i) => marks(n).map((text, end) => ({ x: end ? 1.015 : -0.015, xanchor: end ? "left" : "right", y: i, text: escaped(text), showarrow: false, font: { size: 11, color: css("--soft") } })));
  byId("plot-parallel").style.height = 40 + (narrow ? 44 : 34) * names.length + "px";
  Plotly.react("plot-parallel", traces, layout({ yaxis: rows.yaxis, annotations: [...rows.annotations, ...beside], margin: { l: narrow ? 10 : 70, r: 10, t: 5, b: 10 },
    xaxis: axis({ visible: false, range: narrow ? [-0.03, 1.03] : [-0.17, 1.17] }) }), { ...CONFIG, displayModeBar: false });
  note("parallel-note", [points.some((c) => names.some((n) => c.readings[n] && c.readings[n].unsettled)) && "Unsettled readings are left out.",
    points.some((c) => tagOf(c, names)) && "Dotted lines: " + tagged(points, names).join(" ")]);
}
const CURVES = { roc: ["ROC", "false positive rate", "true positive rate"], precision_recall: ["Precision and recall", "recall", "precision"],
  calibration: ["Calibration", "mean score", "share positive"], predicted_true: ["Predicted against true", "true", "predicted"] };
function drawCurves() {
  const kind = byId("curve-kind").value;
  if (!kind) { byId("curves").hidden = true; return; }
  const points = D.candidates.filter((c) => c.curves[kind]).slice(0, 8), [, xTitle, yTitle] = CURVES[kind];
  const traces = points.map((c, i) => ({ mode: kind === "roc" || kind === "precision_recall" ? "lines" : kind === "calibration" ? "lines+markers" : "markers", name: wrapped(c.name + (c.validation ? ", validation" : ""), NARROW.matches ? 40 : 60),
    x: c.curves[kind].x, y: c.curves[kind].y, line: { color: PALETTE[i % PALETTE.length], width: c.best ? 3 : 1.5, dash: c.validation ? "dash" : "solid", shape: kind === "roc" ? "hv" : "linear" }, marker: { color: PALETTE[i % PALETTE.length] } }));
  const ends = kind === "predicted_true" ? [Math.min(...points.flatMap((c) => c.curves[kind].x)), Math.max(...points.flatMap((c) => c.curves[kind].x))] : [0, 1];
  const shapes = kind === "precision_recall" ? [] : [{ type: "line", x0: ends[0], y0: ends[0], x1: ends[1], y1: ends[1], line: { dash: "dot", color: css("--soft"), width: 1 } }];
  const unit = kind === "roc" || kind === "precision_recall" ? { range: [-0.01, 1.01] } : {};
  byId("plot-curves").style.height = NARROW.matches ? 340 + 34 * points.length + "px" : "";
  Plotly.react("plot-curves", traces, layout({ showlegend: true, legend: { orientation: "h", y: NARROW.matches ? -0.3 : -0.2, font: { size: NARROW.matches ? 11 : 12 } }, shapes, xaxis: axis({ title: { text: xTitle }, ...unit }), yaxis: axis({ title: { text: yTitle }, ...unit }) }), CONFIG);
  note("curves-note", points.some((c) => c.validation) ? ["Dashed:", NOTES.validation] : []);
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
  drawCut();
  if (usable.length) { drawTradeoff(); drawIntervals(); drawParallel(); } else ["tradeoff", "intervals", "parallel"].forEach((id) => { byId(id).hidden = true; });
  drawCurves();
}
drawTable(); drawSettle();
start(draw);
