// The callbacks owed: what the server sends is put in place at once, except while somebody is at the list. Then
// nothing moves under the pointer or the focus; a button says how many changes wait, and shows them.
const stream = document.getElementById("stream");
const main = document.getElementById("main");
const byId = (id) => document.getElementById(id);

let waiting = null; // the newest list, not yet shown
let pointing = false;
let acted = ""; // the row whose button was just pressed: its answer is shown in place
let top = 0;

const rowsOf = (list) => new Map([...list.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row]));

function busy() {
  const list = byId("owed-list");
  return Boolean(list) && (pointing || list.contains(document.activeElement));
}

/** How many rows came, went, moved or read otherwise. */
function changes(from, to) {
  const old = rowsOf(from);
  const fresh = rowsOf(to);
  let count = 0;
  for (const [id, row] of fresh) if (old.get(id)?.dataset.print !== row.dataset.print) count += 1;
  for (const id of old.keys()) if (!fresh.has(id)) count += 1;
  const kept = [...old.keys()].filter((id) => fresh.has(id));
  const now = [...fresh.keys()].filter((id) => old.has(id));
  kept.forEach((id, place) => { if (id !== now[place] && old.get(id).dataset.print === fresh.get(id).dataset.print) count += 1; });
  return count;
}

function show() {
  const fresh = waiting;
  waiting = null;
  if (!fresh) return;
  const chosen = new Set([...byId("owed").querySelectorAll('input[name="promise"]:checked')].map((box) => box.value));
  for (const box of fresh.querySelectorAll('input[name="promise"]')) box.checked = chosen.has(box.value);
  byId("owed").replaceWith(fresh);
  htmx.process(fresh);
  document.dispatchEvent(new Event("owed:shown"));
}

function hold() {
  const here = byId("owed");
  const own = acted && rowsOf(here).get(acted);
  const answer = acted && rowsOf(waiting).get(acted);
  if (own && answer && own.dataset.print !== answer.dataset.print) inPlace(own, answer);
  const count = changes(here, waiting);
  const button = byId("owed-changes");
  button.hidden = count === 0;
  button.textContent = count === 1 ? "1 change" : `${count} changes`;
}

/** The row says what came of the press; its buttons stay where they are, so that none slips under a finger. */
function inPlace(own, answer) {
  const copy = answer.cloneNode(true);
  const focused = own.contains(document.activeElement);
  own.replaceWith(copy);
  htmx.process(copy);
  if (focused) byId("owed-list").focus({ preventScroll: true });
}

stream.addEventListener("owed", (event) => {
  const parsed = new DOMParser().parseFromString(event.detail.data, "text/html");
  waiting = document.adoptNode(parsed.getElementById("owed"));
  document.title = waiting.dataset.title ?? document.title;
  if (busy()) hold();
  else show();
});

function settle() {
  if (waiting && !busy()) show();
}

main.addEventListener("pointerover", (event) => {
  // The button that shows the changes stands above the list: on the way to it nothing moves either.
  pointing = event.pointerType !== "touch" && Boolean(event.target.closest("#owed"));
  if (!pointing) settle();
});
document.documentElement.addEventListener("pointerleave", () => { pointing = false; settle(); });
main.addEventListener("focusout", () => setTimeout(settle));

main.addEventListener("click", (event) => {
  if (event.target.closest("#owed-changes")) {
    show();
    byId("owed-title").focus({ preventScroll: true });
  }
  acted = event.target.closest("[data-row] button")?.closest("[data-row]").dataset.row ?? acted;
});

// A button pressed twice is pressed once: what is under way is not sent again.
main.addEventListener("submit", (event) => {
  if (event.target.matches(".htmx-request")) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);

// The desk above the list grows and shrinks: while somebody points at a row, the page goes along with it.
const remember = () => { top = byId("owed-list")?.getBoundingClientRect().top ?? 0; };
for (const name of ["pointermove", "scroll"]) addEventListener(name, remember, { passive: true });
new ResizeObserver(() => {
  const list = byId("owed-list");
  if (list && pointing) {
    const moved = list.getBoundingClientRect().top - top;
    if (moved) scrollBy(0, moved);
  }
  remember();
}).observe(main);
