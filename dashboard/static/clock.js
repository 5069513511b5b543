// Clocks that tick here, from the server's time stamps: nothing is sent each second.
//
//   <wait-clock since="ms">   counts up      <wait-clock until="ms">   counts down to 0:00
//   <wait-clock by="ms" made="ms">           a promise: "4:05 left", then "late by 2:10"; says its level
//   <progress data-until="ms" data-total="ms" max="1000">              empties until then
//
// The server's clock may run faster than ours (the demo): data-speed says how much.
const meta = document.querySelector('meta[name="clock"]');
let serverMs = Number(meta.content);
let heardAt = performance.now();
const speed = Number(meta.dataset.speed) || 1;

export function nowMs() {
  return serverMs + (performance.now() - heardAt) * speed;
}

export function hear(ms) {
  serverMs = ms;
  heardAt = performance.now();
}

export function written(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** A stretch of time in few words: 4:05, 24 min, 1 h 44 min, 2 days. */
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

class WaitClock extends HTMLElement {
  static observedAttributes = ["since", "until", "by"];
  connectedCallback() { clocks.add(this); this.tick(); }
  disconnectedCallback() { clocks.delete(this); }
  attributeChangedCallback() { this.tick(); }
  tick() {
    const until = this.getAttribute("until");
    const since = this.getAttribute("since");
    const by = this.getAttribute("by");
    if (by !== null) return this.promise(Number(by), Number(this.getAttribute("made")));
    if (until === null && since === null) return;
    const text = until !== null ? written(Math.ceil((until - nowMs()) / 1000) * 1000) : written(nowMs() - since);
    if (this.textContent !== text) this.textContent = text;
  }
  promise(by, made) {
    const leftMs = by - nowMs();
    const text = leftMs >= 0 ? `${span(leftMs)} left` : `late by ${span(-leftMs)}`;
    const level = leftMs < 0 ? "past" : leftMs < 0.2 * (by - made) ? "near" : "";
    if (this.textContent !== text) this.textContent = text;
    if (this.dataset.level !== level) this.dataset.level = level;
  }
}

const clocks = new Set();
customElements.define("wait-clock", WaitClock);

setInterval(() => {
  if (document.hidden) return;
  for (const clock of clocks) clock.tick();
  for (const bar of document.querySelectorAll("progress[data-until]")) {
    const left = Math.max(0, bar.dataset.until - nowMs()) / bar.dataset.total;
    bar.value = Math.min(1000, Math.round(left * 1000));
    bar.classList.toggle("near", left < 0.25);
  }
}, 250);
