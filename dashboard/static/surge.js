// The console: the preview follows the typing, and a browser that can speak reads it out. All of it works
// without this file, by the buttons "Preview" and "Post update".
const speech = globalThis.speechSynthesis;
const WAIT_MS = 500;
const timers = new Map();
let asked = 0;

function show(root = document) {
  for (const button of root.querySelectorAll("[data-listen]")) button.hidden = !speech;
}

async function preview(form) {
  const place = form.querySelector("[data-preview]");
  const number = ++asked;
  const answer = await fetch(place.dataset.preview, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
    headers: { "HX-Request": "true" },
  }).catch(() => null);
  if (!answer?.ok || number !== asked) return; // overtaken by a later one, or the network is away
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
  place.replaceChildren(document.adoptNode(fresh));
  show(place);
}

// Where the chart is wider than the screen, it begins around now and not an hour ago.
for (const chart of document.querySelectorAll("#surge-chart .chart[role=region]")) {
  chart.scrollLeft = (chart.scrollWidth - chart.clientWidth) / 2;
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form");
  if (!form?.querySelector("[data-preview]")) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => preview(form), WAIT_MS));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-listen]");
  if (!button) return;
  const said = new SpeechSynthesisUtterance(button.dataset.words);
  said.lang = button.lang;
  speech.cancel();
  speech.speak(said);
});

show();
