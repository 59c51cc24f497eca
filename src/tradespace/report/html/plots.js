"use strict";
// What every page shares: its data, colors of the theme, a frame for plots, plotly unpacked.
const D = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const element = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
// Plotly reads a little HTML in texts; what a user wrote must not become part of it.
const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;");
// Okabe and Ito's palette, told apart by people with any kind of color vision.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7a7a7a"];
// Ink that is read on the lighter and on the darker colors of the palette.
const inkOn = (fill) => (["#cc79a7", "#e69f00", "#56b4e9"].includes(fill) ? "#12171d" : "#ffffff");
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
const NARROW = matchMedia("(max-width: 40rem)"), DARK = matchMedia("(prefers-color-scheme: dark)");

const layout = (more) => Object.assign({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: NARROW.matches ? 45 : 70, r: 20, t: 30, b: 55 },
  font: { color: css("--ink"), family: "system-ui, sans-serif", size: 13 }, hovermode: "closest",
  legend: { orientation: "h", y: -0.18 }, showlegend: false,
  modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--accent") },
}, more);
const axis = (more) => Object.assign({ gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true, exponentformat: "SI" }, more);

// A text in lines of at most so many letters, broken after a comma or before a bracket.
function wrapped(text, most) {
  const lines = [""];
  String(text).split(/(?<=, )|(?= \()|(?<= )(?=[<>≤≥])/).forEach((part) => {
    if (lines.at(-1) && (lines.at(-1) + part).trim().length > most) lines.push(part.trimStart()); else lines[lines.length - 1] += part;
  });
  return lines.map((line) => escaped(line.trim())).join("<br>");
}
// Rows of a plot with names: beside the rows, or above each where the screen is narrow.
function lanes(names, more) {
  const at = names.map((_, i) => i), range = [names.length - 0.5, NARROW.matches ? -0.9 : -0.6];
  if (!NARROW.matches) return { annotations: [], yaxis: axis(Object.assign({ tickvals: at, ticktext: names.map((n) => wrapped(n, 36)), range, zeroline: false }, more)) };
  const annotations = names.map((n, i) => ({ x: 0, xref: "paper", xanchor: "left", y: i - 0.42, text: wrapped(n, 52), align: "left", showarrow: false, font: { size: 11 }, bgcolor: css("--paper"), borderpad: 0 }));
  return { annotations, yaxis: axis(Object.assign({ tickvals: at, showticklabels: false, range, zeroline: false }, more)) };
}

// Where labels stand beside their points so that they hide neither one another nor leave the plot.
// Points as shares of the plot, its size in pixels; a label may be empty.
function places(points, labels, width, height, radius) {
  const taken = points.map(([x, y]) => [x * width - 6, (1 - y) * height - 6, x * width + 6, (1 - y) * height + 6]);
  const clash = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  return points.map(([x, y], i) => {
    const lines = labels[i].split("<br>"), w = 6.2 * Math.max(...lines.map((l) => l.length)), h = 13 * lines.length, px = x * width, py = (1 - y) * height;
    const tries = [["top center", -w / 2, -radius - h], ["bottom center", -w / 2, radius], ["top right", radius, -radius - h], ["bottom right", radius, radius], ["top left", -w - radius, -radius - h],
      ["bottom left", -w - radius, radius], ["middle right", radius, -h / 2], ["middle left", -w - radius, -h / 2]].map(([name, dx, dy]) => [name, [px + dx, py + dy, px + dx + w, py + dy + h]]);
    const inside = tries.filter(([, box]) => box[0] >= 0 && box[2] <= width), others = taken.filter((_, k) => k !== i);
    const [name, box] = inside.find(([, b]) => !others.some((o) => clash(b, o))) || inside[0] || tries[0];
    if (labels[i]) taken.push(box);
    return name;
  });
}

// Plotly lies packed in the page, so that the file is less than half as large.
async function unpack() {
  const packed = Uint8Array.from(atob(byId("plotly").textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = element("script", await new Response(stream).text());
  document.head.append(script);
}
// Draw once plotly is there, and again when the theme or the width of the screen changes.
function start(draw) {
  unpack().then(() => {
    draw();
    for (const query of [DARK, NARROW]) query.addEventListener("change", draw);
    document.body.dataset.ready = "yes";
  }, (problem) => {
    document.querySelectorAll(".plot").forEach((plot) => plot.replaceWith(element("p", "This browser cannot draw the plots (" + problem.message + "); the tables are complete.", "caption")));
  });
}
