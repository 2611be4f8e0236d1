// The loss of a training: as it was measured, smoothed, and beside it the learning rate; new points come by the stream.
const SMOOTH = 0.9;

function colours(element) {
  const styles = getComputedStyle(element);
  return (name) => styles.getPropertyValue(name).trim();
}

function smoothed(losses) {
  let mean = 0;
  return losses.map((loss, index) => {
    mean = SMOOTH * mean + (1 - SMOOTH) * loss;
    return mean / (1 - SMOOTH ** (index + 1));
  });
}

function laid([steps, losses, rates]) {
  return [steps, losses, smoothed(losses), rates];
}

function drawn(element) {
  const colour = colours(element);
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const size = { width: element.clientWidth, height: element.clientHeight };
  const small = size.width < 500;
  return new uPlot({
    ...size,
    scales: { x: { time: false }, lr: {} },
    series: [
      { label: "step" },
      { label: "loss", stroke: colour("--edge"), width: 1, alpha: 0.6, points: { show: false } },
      { label: "smoothed", stroke: colour("--accent"), width: 2.5, points: { show: false } },
      { label: "learning rate", stroke: colour("--good"), width: 1.5, dash: [5, 4], scale: "lr", points: { show: false }, value: (_, rate) => rate?.toExponential(2) ?? "–" },
    ],
    axes: [axis, { ...axis, size: 56 }, { ...axis, scale: "lr", side: 1, show: !small, size: 68, grid: { show: false }, values: (_, ticks) => ticks.map((rate) => rate.toExponential(1)) }],
  }, laid(element.points), element);
}

function redraw(element) {
  element.chart?.destroy();
  element.chart = null;
  element.dataset.points = element.points[0].length;
  element.hidden = element.points[0].length === 0;
  const empty = document.getElementById("chart-empty");
  if (empty) empty.hidden = !element.hidden;
  if (!element.hidden) element.chart = drawn(element);
}

function begin() {
  const element = document.getElementById("chart");
  if (!element || element.points) return;
  element.points = JSON.parse(element.dataset.chart);
  redraw(element);
  new ResizeObserver(() => element.chart?.setSize({ width: element.clientWidth, height: element.clientHeight })).observe(element);
}

function row(point) {
  const texts = [point[0].toLocaleString("en"), point[1].toFixed(4), point[2].toFixed(4), point[3].toExponential(2)];
  const line = document.createElement("tr");
  for (const text of texts) line.append(Object.assign(document.createElement("td"), { className: "number", textContent: text }));
  return line;
}

document.addEventListener("metrics", (event) => {
  const element = document.getElementById("chart");
  if (!element?.points) return;
  const fresh = JSON.parse(event.detail.data);
  element.points = element.points.map((values, index) => [...values, ...fresh[index]]);
  if (element.chart) element.chart.setData(laid(element.points));
  else redraw(element);
  element.dataset.points = element.points[0].length;
  const all = laid(element.points), table = document.getElementById("points");
  const last = all[0].map((_, index) => all.map((values) => values[index])).slice(-12).reverse();
  table?.replaceChildren(...last.map(row));
});
document.addEventListener("htmx:after:swap", begin);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  const element = document.getElementById("chart");
  if (element?.points) redraw(element);
});
begin();
