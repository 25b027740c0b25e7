// Keeps ages current between polls, and says so when PQAP stops answering.
"use strict";
(() => {
  const UNITS = [["d", 86400000], ["h", 3600000], ["min", 60000]];

  function span(ms) {
    for (const [unit, size] of UNITS) if (ms >= 2 * size) return `${Math.floor(ms / size)} ${unit}`;
    return `${Math.floor(Math.max(ms, 0) / 1000)} s`;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function age() {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-age]")) {
      const at = Date.parse(time.dateTime);
      if (time.dataset.age === "ago") write(time, `${span(now - at)} ago`);
      else write(time, at > now ? `in ${span(at - now)}` : "overdue");
    }
  }

  function local(root) {
    for (const time of root.querySelectorAll("time:not([title])")) {
      time.title = new Date(time.dateTime).toLocaleString(undefined, { timeZoneName: "short" });
    }
  }

  const lost = document.getElementById("lost");
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.body.addEventListener(name, () => { lost.hidden = false; });
  }
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) lost.hidden = true;
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => { age(); local(event.detail.target); });
  local(document);
  setInterval(age, 1000);
})();
