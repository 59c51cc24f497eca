// Draws the page of a network from the embedded data; text reaches the page only through textContent.
const scaled = (v, scales) => { const s = scales.find(([f]) => v >= f) || scales.at(-1); return (v / s[0]).toPrecision(3).replace(/\.?0+$/, "") + " " + s[1]; };
const count = (v) => (v ? scaled(v, [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]]).trim() : "");
const bytes = (v) => (v ? scaled(v, [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]]) : "");
const seconds = (v) => (v ? scaled(v, [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]) : "");

// ---- map --------------------------------------------------------------------------------------
const WHAT = [["macs", "multiply-accumulates", count], ["parameters", "parameters", count], ["outputs", "memory of outputs", bytes],
  ["saved", "memory kept for training", bytes], ["time", "time", seconds]].filter(([key]) => D.layers.some((l) => l[key]));
WHAT.forEach(([key, title]) => { const o = element("option", title); o.value = key; byId("map-what").append(o); });
function drawMap() {
  const [key, title, show] = WHAT.find(([k]) => k === byId("map-what").value) || WHAT[0];
  const nodes = new Map([["", { label: D.name, parent: null, value: 0 }]]);
  D.layers.forEach((layer, at) => {
    const value = layer[key] || 0;
    if (!value) return;
    const parts = layer.name.split(/[.:]/).filter(Boolean);
    let path = "";
    nodes.get("").value += value;
    parts.forEach((part, i) => {
      // The operator itself is a leaf of its own, as modules and operators may share a path.
      const leaf = i === parts.length - 1, id = leaf ? path + "." + part + "#" + at : path + "." + part;
      if (!nodes.has(id)) nodes.set(id, { label: part, parent: path, value: 0, layer: leaf ? layer : null });
      nodes.get(id).value += value;
      if (!leaf) path = id;
    });
  });
  const ids = [...nodes.keys()], list = [...nodes.values()], total = nodes.get("").value || 1;
  const tops = [...new Set(list.filter((n) => n.parent === "").map((n) => n.label))];
  const top = (id) => { let n = nodes.get(id); while (n && n.parent) n = nodes.get(n.parent); return n; };
  const fills = ids.map((id, i) => (id === "" ? css("--panel") : PALETTE[tops.indexOf((top(id) || list[i]).label) % PALETTE.length]));
  Plotly.react("plot-map", [{ type: "treemap", ids: ids.map((i) => i || "root"), labels: list.map((n) => escaped(n.label)), branchvalues: "total",
    parents: list.map((n) => (n.parent === null ? "" : n.parent || "root")), values: list.map((n) => n.value), maxdepth: 4,
    text: list.map((n) => show(n.value) + ", " + (100 * n.value / total).toPrecision(3) + " %"), textinfo: "label+text",
    customdata: list.map((n) => (n.layer ? escaped(n.layer.operator + " " + n.layer.shape) : "")),
    hovertemplate: "<b>%{label}</b><br>" + title + ": %{text}<br>%{customdata}<extra></extra>", tiling: { packing: "squarify", pad: 2 },
    textfont: { color: fills.map((fill, i) => (ids[i] === "" ? css("--ink") : inkOn(fill))) },
    marker: { colors: fills, line: { color: css("--paper"), width: 1 } } }],
  layout({ margin: { l: 0, r: 0, t: 26, b: 0 } }), CONFIG);
}

// ---- roofline ---------------------------------------------------------------------------------
function drawRoof() {
  const R = D.roofline; if (!R) return;
  const points = D.layers.filter((l) => l.time > 0 && l.operations > 0 && l.intensity > 0);
  if (!points.length) { byId("roof").hidden = true; return; }
  const ridge = R.peak / R.bandwidth, xs = points.map((p) => p.intensity).concat(ridge);
  const low = Math.min(...xs) / 2, high = Math.max(...xs) * 2;
  const byBound = { compute: PALETTE[0], memory: PALETTE[1], overhead: PALETTE[7] };
  const traces = [{ mode: "lines", x: [low, ridge, high], y: [low * R.bandwidth, R.peak, R.peak], line: { color: css("--soft"), width: 2 }, hoverinfo: "skip", showlegend: false }];
  for (const bound of Object.keys(byBound)) {
    const some = points.filter((p) => p.bound === bound);
    if (some.length) traces.push({ mode: "markers", name: "bound by " + bound, x: some.map((p) => p.intensity), y: some.map((p) => p.operations / p.time),
      marker: { color: byBound[bound], size: 9, opacity: 0.75 }, customdata: some.map((p) => [escaped(p.name), escaped(p.operator), p.time_text]),
      hovertemplate: "<b>%{customdata[0]}</b><br>%{customdata[1]}, %{customdata[2]}<br>%{x:.3s} op/B, %{y:.3s}op/s<extra></extra>" });
  }
  Plotly.react("plot-roof", traces, layout({ showlegend: true, legend: { orientation: "h", y: -0.2 },
    xaxis: axis({ type: "log", title: { text: "arithmetic intensity (operations for each byte)" }, exponentformat: "SI" }),
    yaxis: axis({ type: "log", title: { text: "operations a second on " + escaped(R.processor) }, exponentformat: "SI" }) }), CONFIG);
}

// ---- table ------------------------------------------------------------------------------------
const timed = D.layers.some((l) => l.time !== null), saved = D.layers.some((l) => l.saved);
const COLUMNS = [["layer", (l) => l.name, "name"], ["operator", (l) => l.operator + (l.unknown ? " (unknown)" : ""), "operator"], ["output", (l) => l.shape, "shape"],
  ["parameters", (l) => count(l.parameters), "parameters"], ["MACs", (l) => count(l.macs), "macs"], ["formula", (l) => l.formula, "formula"],
  ["outputs", (l) => bytes(l.outputs), "outputs"], ...(saved ? [["saved", (l) => bytes(l.saved), "saved"]] : []),
  ["op/B", (l) => (l.intensity ? l.intensity.toPrecision(3) : ""), "intensity"],
  ...(timed ? [["time", (l) => l.time_text, "time"], ["bound", (l) => l.bound, "bound"]] : [])];
const state = { column: null, down: true, text: "" };
function drawTable() {
  const head = element("tr");
  COLUMNS.forEach(([title], index) => {
    const on = state.column === index, th = element("th", title + (on ? (state.down ? " ▾" : " ▴") : ""));
    th.tabIndex = 0; th.setAttribute("role", "columnheader"); th.setAttribute("aria-sort", on ? (state.down ? "descending" : "ascending") : "none");
    const sort = () => { state.down = on ? !state.down : true; state.column = index; drawTable(); };
    th.addEventListener("click", sort); th.addEventListener("keydown", (e) => { if (e.key === "Enter") sort(); });
    head.append(th);
  });
  document.querySelector("#table thead").replaceChildren(head);
  let rows = D.layers.filter((l) => (l.name + " " + l.operator).toLowerCase().includes(state.text));
  if (state.column !== null) {
    const key = COLUMNS[state.column][2], sign = state.down ? -1 : 1;
    rows = rows.slice().sort((a, b) => { const x = a[key], y = b[key]; return sign * (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : (x ?? -1) - (y ?? -1)); });
  }
  byId("found").textContent = rows.length + " of " + D.layers.length + " operators";
  const fragment = document.createDocumentFragment();
  rows.slice(0, 2000).forEach((l) => {
    const tr = element("tr", undefined, l.unknown ? "missed" : "");
    COLUMNS.forEach(([, cell, key]) => { const td = element("td", cell(l), ["name", "operator", "formula", "bound"].includes(key) ? "" : "number"); if (key === "formula" && l.numbers) td.title = l.numbers; tr.append(td); });
    fragment.append(tr);
  });
  document.querySelector("#table tbody").replaceChildren(fragment);
}
byId("filter").addEventListener("input", (e) => { state.text = e.target.value.toLowerCase(); drawTable(); });
byId("map-what").addEventListener("change", drawMap);
function draw() { if (WHAT.length) drawMap(); else byId("map").hidden = true; drawRoof(); }
drawTable();
start(draw);
