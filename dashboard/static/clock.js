// Clocks that tick here, from the server's time stamps: nothing is sent each second.
//
//   <wait-clock since="ms">   counts up      <wait-clock until="ms">   counts down to 0:00
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

class WaitClock extends HTMLElement {
  static observedAttributes = ["since", "until"];
  connectedCallback() { clocks.add(this); this.tick(); }
  disconnectedCallback() { clocks.delete(this); }
  attributeChangedCallback() { this.tick(); }
  tick() {
    const until = this.getAttribute("until");
    const since = this.getAttribute("since");
    if (until === null && since === null) return;
    const text = until !== null ? written(Math.ceil((until - nowMs()) / 1000) * 1000) : written(nowMs() - since);
    if (this.textContent !== text) this.textContent = text;
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
