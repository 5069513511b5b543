// The phone: dial, listen, press, speak, hang up. The double's own control routes do the work.

import { hold, onRinging } from "./ringing.js";

const $ = (id) => document.getElementById(id);
const STAGES = {
  ringing: "Ringing",
  menu: "On the line",
  queue: "Waiting in the queue",
  conference: "Waiting to be joined",
  talking: "Talking with an agent",
  recording: "Recording your message",
  ended: "Call over",
};
const OTHER = "other";
const WITHHELD = "anonymous";

let call = null; // {sid, from, to, began, first}
let events = null;
let ticking = 0;
let aloud = true; // not while an old transcript is read again
const music = new Audio();
music.volume = 0.35;

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`/_double${path}`, options);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || `the network answered ${answer.status}`);
  return told;
}

async function attempt(work, told = "fault") {
  $(told).textContent = "";
  try {
    return await work();
  } catch (error) {
    const away = error instanceof TypeError;
    $(told).textContent = away ? "The phone network does not answer. Is it running?" : error.message;
    return undefined;
  }
}

// --- who calls whom -----------------------------------------------------------------------------

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

async function fillDirectory() {
  const { callers, numbers } = await ask("/directory");
  const as = $("as");
  as.replaceChildren(
    ...callers.map((each) => option(each.number, [each.name, each.note].filter(Boolean).join(" · "))),
    option(OTHER, "Another number"),
    option(WITHHELD, "Number withheld"),
  );
  $("to").replaceChildren(...numbers.map((number) => option(number, spaced(number))));
  showOther();
}

// +14155550100 as +1 415 555 0100
function spaced(number) {
  return number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}

// What was typed, in international form: ten digits alone are a number of +1.
function whole(typed) {
  const digits = typed.replace(/[^\d+]/g, "");
  return /^\d{10}$/.test(digits) ? `+1${digits}` : digits.replace(/^(?=\d)/, "+");
}

function showOther() {
  const other = $("as").value === OTHER;
  $("other").hidden = !other;
  $("number").required = other;
  showTexts();
}

// Whose telephone this is; "" when the number is withheld or not yet typed.
function mine() {
  const chosen = $("as").value;
  if (chosen === WITHHELD) return "";
  const number = chosen === OTHER ? whole($("number").value) : chosen;
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : "";
}

async function dial(event) {
  event.preventDefault();
  const chosen = $("as").value;
  const from = chosen === OTHER ? whole($("number").value) : chosen;
  const to = $("to").value;
  const made = await attempt(() => ask("/calls", { from, to, label: "phone page" }));
  if (!made) return;
  if (from !== WITHHELD) hold(from);
  follow({ sid: made.sid, from: nameOf(from), to, began: Date.now() });
  $("stage").focus();
}

// As the directory has it; a number that is not in it, spaced.
function nameOf(number) {
  const known = [...$("as").options].find((each) => each.value === number);
  return known ? known.textContent.split(" · ")[0] : spaced(number);
}

// --- somebody calls -----------------------------------------------------------------------------

let ringing = null; // {sid, from, to}

function rings(calls) {
  ringing = calls[0] ?? null;
  $("incoming").hidden = !ringing;
  document.title = ringing ? "☎ Your phone rings" : "Phone · Surgeline";
  if (!ringing) return;
  $("incoming-from").textContent = spaced(ringing.from);
  $("incoming-to").textContent = nameOf(ringing.to);
}

async function pickUp() {
  const { sid, from, to } = ringing;
  if (call && !$("hang-up").hidden) hangUp(); // one call at a time
  const told = await attempt(() => ask(`/calls/${sid}/pick_up`, {}));
  if (!told) return;
  if (!told.picked_up) {
    $("fault").textContent = "It has stopped ringing.";
    return;
  }
  if ([...$("as").options].some((each) => each.value === to)) $("as").value = to;
  showOther();
  follow({ sid, from: spaced(from), to: nameOf(to), began: Date.now() });
  $("stage").focus();
}

function decline() {
  attempt(() => ask(`/calls/${ringing.sid}/hang_up`, {}));
}

// --- the line -----------------------------------------------------------------------------------

function follow(started, resumed = false) {
  call = started;
  aloud = !resumed;
  sessionStorage.setItem("call", JSON.stringify(call));
  $("dial").hidden = true;
  $("line").hidden = false;
  $("phone-title").textContent = "Your call";
  $("from").textContent = call.from;
  $("called").textContent = spaced(call.to);
  $("now").textContent = "";
  $("lines").replaceChildren();
  $("nothing").hidden = true;
  open(true);
  showStage("ringing");
  events?.close();
  events = new EventSource(`/_double/calls/${encodeURIComponent(call.sid)}/events`);
  events.addEventListener("line", (event) => hear(JSON.parse(event.data)));
  events.addEventListener("state", (event) => {
    aloud = true;
    showStage(JSON.parse(event.data).stage);
  });
  events.addEventListener("ended", over);
  events.onerror = () => { if (events.readyState === EventSource.CLOSED) lost(); };
  clearInterval(ticking);
  ticking = setInterval(tick, 1000);
  tick();
}

function showStage(stage) {
  $("stage").dataset.stage = stage;
  $("stage").dataset.open = ["ringing", "ended"].includes(stage) ? "no" : "yes";
  if ($("stage-word").textContent !== STAGES[stage]) $("stage-word").textContent = STAGES[stage] ?? stage;
}

function tick() {
  $("timer").textContent = clock(Date.now() - call.began);
}

function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function open(yes) {
  for (const control of document.querySelectorAll("#pad button, #speak input, #speak button")) {
    control.disabled = !yes;
  }
  $("hang-up").hidden = !yes;
  $("again").hidden = yes;
}

function over() {
  events?.close();
  clearInterval(ticking);
  sessionStorage.removeItem("call");
  showStage("ended");
  hush();
  const here = document.activeElement;
  open(false);
  if (here && $("line").contains(here)) $("again").focus();
}

async function lost() {
  const now = await attempt(() => ask(`/calls/${call.sid}`));
  if (now?.ended_ms) over();
}

function hangUp() {
  hush();
  attempt(() => ask(`/calls/${call.sid}/hang_up`, {}));
}

function newCall() {
  $("line").hidden = true;
  $("dial").hidden = false;
  $("phone-title").textContent = "Ring in";
  $("as").focus();
}

// --- keys and words -----------------------------------------------------------------------------

function press(key) {
  if (!call || $("hang-up").hidden) return;
  hush();
  const button = $("pad").querySelector(`button[value="${CSS.escape(key)}"]`);
  button?.classList.add("down");
  setTimeout(() => button?.classList.remove("down"), 150);
  attempt(() => ask(`/calls/${call.sid}/press`, { digits: key }));
}

function typed(event) {
  const writing = event.target.closest?.("input[type=text], input[type=tel], select, textarea");
  if (!$("keys").checked || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[0-9*#]$/.test(event.key)) {
    event.preventDefault();
    press(event.key);
  }
}

function speak(event) {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text) return;
  $("words").value = "";
  hush();
  attempt(() => ask(`/calls/${call.sid}/speak`, { text }));
}

// --- texts --------------------------------------------------------------------------------------

let textsOf = null; // whose texts are shown

async function showTexts() {
  const number = mine();
  if (number !== textsOf) {
    textsOf = number;
    $("texts-lines").replaceChildren();
    $("texts-fault").textContent = "";
    $("texts-whose").textContent = number
      ? `On ${spaced(number)}`
      : "Choose a number above, or type one: a withheld one gets no texts.";
    for (const control of document.querySelectorAll("#write input, #write button")) control.disabled = !number;
  }
  if (!number) return;
  let told;
  try {
    told = await ask(`/texts?number=${encodeURIComponent(number)}`);
  } catch {
    return; // the next look, or whoever dials, will say so
  }
  if (number !== textsOf) return;
  const known = new Set([...$("texts-lines").children].map((item) => item.dataset.sid));
  const fresh = told.texts.filter((text) => !known.has(text.sid));
  const atEnd = isAtEnd($("texts-log"));
  $("texts-lines").append(...fresh.map(bubble));
  if (fresh.length && atEnd) $("texts-log").scrollTop = $("texts-log").scrollHeight;
}

function bubble(text) {
  const item = document.createElement("li");
  const own = text.direction === "inbound";
  item.dataset.sid = text.sid;
  item.className = own ? "mine" : "theirs";
  const words = document.createElement("p");
  words.append(...linked(text.body));
  const note = document.createElement("small");
  const at = new Date(text.at_ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const parts = !own && text.segments > 1 ? ` · ${text.segments} parts` : "";
  note.textContent = `${own ? "You" : spaced(text.from)} · ${at}${parts}`;
  item.append(words, note);
  return item;
}

// Text and, where there is a web address, a link that opens beside this page.
function linked(body) {
  return body.split(/(https?:\/\/\S+)/).map((part, index) => {
    if (index % 2 === 0) return part;
    const link = document.createElement("a");
    link.href = link.textContent = part;
    link.target = "_blank";
    link.rel = "noopener";
    return link;
  });
}

async function write(event) {
  event.preventDefault();
  const body = $("text").value.trim();
  const from = mine();
  if (!body || !from) return;
  const to = $("to").value;
  const sent = await attempt(() => ask("/texts", { from, to, body }), "texts-fault");
  if (!sent) return;
  hold(from);
  $("text").value = "";
  await showTexts();
  $("texts-log").scrollTop = $("texts-log").scrollHeight;
}

// --- what is heard ------------------------------------------------------------------------------

function hear(line) {
  call.first ??= line.at_ms;
  if (line.kind === "pause") return;
  const shown = wording(line);
  const last = $("lines").lastElementChild;
  if (line.kind === "play" && last?.classList.contains("play")) return play(line);
  if (line.kind === "gather" && last?.classList.contains("play")) return; // the hold loop going round
  const atEnd = window.innerWidth > 736 && isAtEnd($("log"));
  const item = document.createElement("li");
  item.className = shown.look;
  const time = document.createElement("time");
  time.textContent = clock(line.at_ms - call.first);
  const words = document.createElement("p");
  words.textContent = shown.text;
  if (line.kind === "say") {
    words.lang = line.language || "en";
    $("now").textContent = line.text;
    $("now").lang = words.lang;
    if (!words.lang.startsWith("en")) words.append(tongue(words.lang));
  }
  item.append(time, words);
  $("lines").append(item);
  if (atEnd) $("log").scrollTop = $("log").scrollHeight;
  if (line.kind === "play") play(line);
  else music.pause();
  if (line.kind === "say") sayAloud(line);
}

function wording(line) {
  switch (line.kind) {
    case "say": return { look: "say", text: line.text };
    case "play": return { look: "play", text: "♪ hold music" };
    case "press": return { look: "mine", text: `press ${line.text}` };
    case "speak": return { look: "mine", text: `say “${line.text}”` };
    case "gather": return { look: "gather", text: line.text.includes("speech") ? "(it listens for keys and speech)" : "(it listens for keys)" };
    case "enqueue": return { look: "note", text: "(you are in the queue)" };
    case "dial": return { look: "note", text: "(connecting)" };
    default: return { look: line.text.startsWith("⚠") ? "note wrong" : "note", text: `(${line.text})` };
  }
}

function tongue(language) {
  const badge = document.createElement("span");
  badge.className = "tongue";
  badge.lang = "en";
  badge.textContent = new Intl.DisplayNames(["en"], { type: "language" }).of(language.split("-")[0]);
  return badge;
}

function isAtEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 40;
}

function sayAloud(line) {
  if (!aloud || !$("sound").checked || !("speechSynthesis" in window)) return;
  const utterance = new SpeechSynthesisUtterance(line.text);
  utterance.lang = line.language || "en-US";
  utterance.rate = 1.05;
  speechSynthesis.speak(utterance);
}

function play(line) {
  music.pause();
  if (!aloud || !$("sound").checked || !/^https?:/.test(line.text)) return;
  music.src = line.text;
  music.play().catch(() => {}); // a browser may want a click first; the words are there to read
}

function hush() {
  music.pause();
  window.speechSynthesis?.cancel();
}

$("as").addEventListener("change", showOther);
$("number").addEventListener("input", showTexts);
$("write").addEventListener("submit", write);
setInterval(() => { if (!document.hidden) showTexts(); }, 1500);
$("dial").addEventListener("submit", dial);
$("pad").addEventListener("click", (event) => {
  if (event.target.value) press(event.target.value);
});
$("speak").addEventListener("submit", speak);
$("hang-up").addEventListener("click", hangUp);
$("pick-up").addEventListener("click", pickUp);
$("decline").addEventListener("click", decline);
$("again").addEventListener("click", newCall);
for (const id of ["sound", "keys"]) {
  $(id).checked = localStorage.getItem(id) !== "off";
  $(id).addEventListener("change", () => localStorage.setItem(id, $(id).checked ? "on" : "off"));
}
$("sound").addEventListener("change", () => { if (!$("sound").checked) hush(); });
document.addEventListener("keydown", typed);
window.addEventListener("pagehide", hush);

await attempt(fillDirectory);
onRinging(rings);
const kept = JSON.parse(sessionStorage.getItem("call") || "null");
if (kept) {
  const known = await fetch(`/_double/calls/${encodeURIComponent(kept.sid)}`);
  if (known.ok) follow(kept, true);
  else sessionStorage.removeItem("call");
}
