// The live part of a page: opens the stream, says how old the figures are, and starts over after a loss.
// htmx swaps what the stream brings; a `pulse` tells the server's time and the age of what it knows.
import { hear } from "./clock.js";

const NEAR_MS = 10_000;
const STALE_MS = 30_000;
const AGAIN_MS = 3_000;

const stream = document.getElementById("stream");
const badges = document.querySelectorAll("[data-live]");
let pulse = null;

export function open() {
  // After htmx's own start, which it put in this queue before us. The attribute is not in the page: over a slow
  // network htmx may start before its extension has come, and would then overlook it for ever.
  setTimeout(() => {
    stream.setAttribute("hx-sse:connect", stream.dataset.stream);
    htmx.process(stream);
  });
}

export function close() {
  stream._htmx?.sse?.reader?.cancel();
  stream.remove();
}

function age() {
  return pulse ? pulse.age_ms + (performance.now() - pulse.heard) : null;
}

function showAge() {
  const ms = age();
  if (ms === null || document.hidden) return;
  const state = ms >= STALE_MS ? "stale" : ms >= NEAR_MS ? "near" : "live";
  const s = Math.round(ms / 1000);
  const words = state === "live" ? "live" : `data is ${s} s old`;
  for (const badge of badges) {
    if (badge.dataset.age !== state) badge.dataset.age = state;
    if (badge.textContent !== words) badge.textContent = words;
  }
  document.documentElement.toggleAttribute("data-stale", state === "stale");
}

stream.addEventListener("pulse", (event) => {
  pulse = { ...JSON.parse(event.detail.data), heard: performance.now() };
  hear(pulse.now_ms);
  showAge();
});

// The server ended the session: the page must not go on showing what it knew.
stream.addEventListener("over", () => location.assign(stream.dataset.over || "/sign-in"));

stream.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401 || event.detail.status === 403) location.assign("/sign-in");
});

// The first connection is an ordinary request, which htmx does not repeat.
for (const name of ["htmx:error", "htmx:response:error"]) {
  stream.addEventListener(name, (event) => {
    if (event.target !== stream || stream._htmx?.sse) return;
    const status = event.detail.ctx?.response?.status;
    if (status === 401 || status === 403) location.assign("/sign-in");
    else setTimeout(open, AGAIN_MS);
  });
}

setInterval(showAge, 1000);
document.addEventListener("visibilitychange", showAge);
if ("open" in stream.dataset) open();
