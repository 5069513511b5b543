// The telephones in this person's hand: those that were rung in or texted from on this page. While the stream
// is open they ring here, and nowhere else.

const MOST = 4;
const held = JSON.parse(sessionStorage.getItem("held") || "[]");

let told = () => {};
let stream = null;

export function onRinging(callback) {
  told = callback;
  if (held.length) watch();
}

export function hold(number) {
  if (held.includes(number)) return;
  held.push(number);
  held.splice(0, held.length - MOST);
  sessionStorage.setItem("held", JSON.stringify(held));
  watch();
}

function watch() {
  stream?.close();
  stream = new EventSource(`/_double/ringing?${held.map((number) => `number=${encodeURIComponent(number)}`).join("&")}`);
  stream.addEventListener("ringing", (event) => told(JSON.parse(event.data)));
  stream.onerror = () => told([]); // it comes back by itself
}
