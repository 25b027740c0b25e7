// The equity curve of the three accounts, read from the API and kept current.
"use strict";
(() => {
  const POINTS = 300, REFRESH_MS = 30000, LIMIT = 1000;
  const ACCOUNTS = ["pessimistic", "base", "optimistic"];
  const box = document.getElementById("equity");
  if (!box || typeof uPlot === "undefined") return;
  const opened = Number(box.dataset.opened), poll = Number(box.dataset.poll);
  let hours = 168, chart = null, columns = null;

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const money = (value) => value.toLocaleString("en-US", { style: "currency", currency: "USD" });

  // Whole dollars on the axis unless its steps are smaller.
  function round(ticks) {
    const digits = ticks.length > 1 && ticks[1] - ticks[0] < 1 ? 2 : 0;
    return (value) => value.toLocaleString("en-US", {
      style: "currency", currency: "USD", minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
  }

  async function read() {
    const now = Date.now();
    const since = hours ? Math.max(opened, now - hours * 3600000) : opened;
    const every = Math.max(poll, Math.ceil((now - since) / 1000 / POINTS));
    const query = new URLSearchParams({
      from: new Date(since).toISOString(), every: Math.min(every, 86400), limit: LIMIT,
    });
    const answer = await fetch(`${box.dataset.url}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`equity: ${answer.status}`);
    return (await answer.json()).results;
  }

  function arrange(points) {
    const byTime = new Map();
    for (const point of points) {
      const at = Date.parse(point.at) / 1000;
      if (!byTime.has(at)) byTime.set(at, {});
      byTime.get(at)[point.account] = Number(point.equity);
    }
    const times = [...byTime.keys()].sort((a, b) => a - b);
    return [times, ...ACCOUNTS.map((name) => times.map((at) => byTime.get(at)[name] ?? null))];
  }

  function size() {
    return { width: Math.max(box.clientWidth, 200), height: window.innerWidth < 640 ? 210 : 290 };
  }

  function draw() {
    if (chart) chart.destroy();
    box.replaceChildren();
    const grid = { stroke: style("--line"), width: 1 };
    const axis = { stroke: style("--soft"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const line = (label, color, more) => ({
      label, stroke: style(color), width: 1.25, spanGaps: true, points: { show: false },
      value: (_, value) => (value == null ? "–" : money(value)), ...more,
    });
    const newest = (u) => u.setLegend({ idx: u.data[0].length - 1 });
    chart = new uPlot({
      ...size(),
      padding: [12, 8, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false } },
      // without a pointer the legend tells the newest figures
      hooks: { ready: [newest], setData: [newest], setCursor: [(u) => { if (u.cursor.idx == null) newest(u); }] },
      axes: [
        { ...axis, space: 70,
          values: [
            [86400, "{MMM} {D}", null, null, null, null, null, null, 1],
            [3600, "{HH}:{mm}", "\n{MMM} {D}", null, "\n{MMM} {D}", null, null, null, 1],
            [60, "{HH}:{mm}", "\n{MMM} {D}", null, "\n{MMM} {D}", null, null, null, 1],
            [1, "{HH}:{mm}:{ss}", "\n{MMM} {D}", null, "\n{MMM} {D}", null, null, null, 1],
          ] },
        { ...axis, size: 66, space: 44, values: (_, ticks) => ticks.map(round(ticks)) },
      ],
      series: [
        { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        line("Pessimistic", "--pessimistic", { dash: [5, 4] }),
        line("Base", "--accent", { width: 2 }),
        line("Optimistic", "--optimistic", { dash: [2, 3] }),
      ],
    }, columns, box);
  }

  async function refresh() {
    try {
      const points = await read();
      if (!points.length) return;
      columns = arrange(points);
      if (chart) chart.setData(columns); else draw();
    } catch {
      // The page's own polling tells the reader that PQAP does not answer.
    }
  }

  for (const button of document.querySelectorAll(".ranges button")) {
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll(".ranges button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      hours = Number(button.dataset.hours);
      refresh();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (columns) draw(); });
  new ResizeObserver(() => { if (chart && chart.width !== size().width) chart.setSize(size()); }).observe(box);
  setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);
  refresh();
})();
