// The agent's desk. The server says how things stand (data-* on #desk); this file makes the browser's side
// follow: one desk per browser, the softphone's leg, the sound, the title, where the focus is.
import { open, close } from "./live.js";
import * as keys from "./keys.js";
import { softphone } from "./softphone.js";

const script = document.querySelector("script[data-softphone]");
const phone = softphone(script.dataset.softphone, script.dataset.chime);
const main = document.getElementById("main");
const title = document.title;
const chime = new Audio(script.dataset.chime);
const byId = (id) => document.getElementById(id);

let stood = { presence: "", contact: "", fence: "", seen: "0" };
let dialled = "";
let ringing = 0;
let muted = false;

// -- one desk per browser ---------------------------------------------------------------------------

function claim(options) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks
      .request("surgeline-desk", options, (lock) => {
        resolve(Boolean(lock));
        return lock && new Promise(() => {}); // held for the life of this page
      })
      .catch(() => elsewhere()); // another tab took over
  });
}

function elsewhere() {
  close();
  phone.close();
  ring(false);
  main.inert = true;
  const curtain = byId("elsewhere");
  document.body.append(curtain);
  curtain.hidden = false;
  curtain.querySelector("button").focus();
}

byId("take-over").addEventListener("click", async () => {
  await claim({ steal: true });
  location.reload();
});

// -- following the server ---------------------------------------------------------------------------

function follow() {
  const now = { ...byId("desk").dataset };
  if (Number(now.seen) < Number(stood.seen)) return; // overtaken on its way by an answer to a click
  document.title = now.title ? `${now.title} · ${title}` : title;
  const moved = ["presence", "contact", "fence"].some((name) => now[name] !== stood[name]);
  joinOrLeave(now);
  showPhone();
  if (!moved) {
    stood.seen = now.seen;
    return;
  }
  if (stood.presence) keys.changed();
  if (now.say && byId("spoken").textContent !== now.say) byId("spoken").textContent = now.say;
  ring(now.presence === "reserved");
  if (now.contact !== stood.contact) byId("captions").querySelector("ol").replaceChildren();
  stood = now;
  keepFocus();
}

function joinOrLeave(now) {
  const leg = `${now.contact} ${now.fence}`;
  if (now.presence === "talking" && now.line === "softphone") {
    if (dialled === leg) return;
    dialled = leg;
    muted = false;
    phone.connect({ contact: now.contact, fence: now.fence });
  } else if (dialled) {
    dialled = "";
    phone.hangUp();
  }
}

function keepFocus() {
  const focused = document.activeElement;
  if (focused && focused.isConnected && !focused.matches("body, #main, #work")) return;
  const work = byId("work");
  (work.querySelector("[data-focus]") || work).focus({ preventScroll: true });
}

function ring(on) {
  clearInterval(ringing);
  if (!on || localStorage.getItem("surgeline.chime") === "off") return;
  const once = () => chime.play().catch(() => {});
  once();
  ringing = setInterval(once, 4000);
}

// -- the softphone's state and captions ---------------------------------------------------------------

const WORDS = {
  off: ["quiet", "Softphone not started"],
  ready: ["live-mark", "Softphone ready"],
  dialing: ["busy", "Softphone is dialling in"],
  in_call: ["live-mark", "Softphone in the call"],
  failed: ["past", "Softphone failed"],
};
let phoneWords = "";

function showPhone() {
  const place = byId("phone-state");
  const soft = byId("desk").dataset.line === "softphone" && script.dataset.softphone !== "none";
  place.hidden = !soft;
  const [mark, words] = WORDS[phone.state];
  const text = phoneWords ? `${words}: ${phoneWords}` : words;
  let span = place.firstElementChild;
  if (!span) { span = document.createElement("span"); place.replaceChildren(span); }
  if (span.className !== `mark ${mark}`) span.className = `mark ${mark}`;
  if (span.textContent !== text) span.textContent = text;
  const mute = byId("mute");
  if (mute) {
    mute.hidden = !(phone.canMute && phone.state === "in_call");
    mute.setAttribute("aria-pressed", String(muted));
  }
}

phone.onstate = (state, words) => {
  phoneWords = words;
  showPhone();
};

const FROM = { say: "Line", play: "Music", speak: "Caller", note: "Network" };

phone.oncaption = (line) => {
  if (!(line.kind in FROM)) return; // keys, dialling and the like are the network's own
  const panel = byId("captions");
  const list = panel.querySelector("ol");
  const item = document.createElement("li");
  const from = document.createElement("span");
  const text = document.createElement("span");
  from.className = "from";
  from.textContent = FROM[line.kind];
  text.textContent = line.text;
  item.append(from, text);
  list.append(item);
  while (list.children.length > 200) list.firstElementChild.remove();
  panel.hidden = false;
  list.scrollTop = list.scrollHeight;
};

// -- clicks that are the browser's own -----------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("openSoftphone" in button.dataset || button.dataset.key === "a") {
    if (byId("line")?.value !== "phone") phone.open();
  } else if (button.id === "mute") {
    muted = !muted;
    phone.mute(muted);
    showPhone();
  } else if (button.id === "keys-open") {
    byId("keys-help").showModal();
  } else if (button.id === "chime-toggle") {
    localStorage.setItem("surgeline.chime", localStorage.getItem("surgeline.chime") === "off" ? "on" : "off");
    showChime();
  }
});

function showChime() {
  const on = localStorage.getItem("surgeline.chime") !== "off";
  const button = byId("chime-toggle");
  if (!button) return;
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "Sound on" : "Sound off";
}

byId("keys-on").checked = keys.on();
byId("keys-on").addEventListener("change", (event) => keys.turn(event.target.checked));

document.addEventListener("htmx:error", (event) => {
  if (!event.target.closest?.("form")) return;
  const note = document.createElement("div");
  note.className = "note near";
  note.setAttribute("role", "alert");
  note.textContent = "That did not reach the server. Press it once more.";
  byId("notes").replaceChildren(note);
});

// -- start ---------------------------------------------------------------------------------------------

new MutationObserver(follow).observe(main, {
  subtree: true,
  attributes: true,
  attributeFilter: ["data-presence", "data-contact", "data-fence", "data-line", "data-title", "data-joining"],
});

if (await claim({ ifAvailable: true })) {
  keys.listen(() => byId("keys-help").showModal());
  if (script.dataset.softphone === "double" && byId("desk").dataset.presence !== "off") phone.open();
  follow();
  showChime();
  open();
  setInterval(() => fetch("/session", { method: "GET" }).catch(() => {}), 5 * 60_000);
} else {
  elsewhere();
}
