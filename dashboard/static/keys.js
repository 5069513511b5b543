// Single-key shortcuts: an element says its key by data-key. They can be switched off, and are dead while
// somebody types, holds a modifier, or has a dialog open.
const SETTING = "surgeline.keys";
const TYPING = "input, textarea, select, [contenteditable]";
const GUARD_MS = 800;

let guard = 0;

export function on() {
  return localStorage.getItem(SETTING) !== "off";
}

export function turn(state) {
  localStorage.setItem(SETTING, state ? "on" : "off");
  document.documentElement.dataset.keys = state ? "on" : "off";
}

/** What a key means has just changed: ignore strokes that were meant for what was there before. */
export function changed() {
  clearTimeout(guard);
  document.documentElement.dataset.keysGuarded = "";
  guard = setTimeout(() => delete document.documentElement.dataset.keysGuarded, GUARD_MS);
}

export function listen(help) {
  turn(on());
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest(TYPING) || document.querySelector("dialog[open], .curtain:not([hidden])")) return;
    if (!on()) return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    const meant = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!meant || meant.disabled || meant.hidden) return;
    if ("keysGuarded" in document.documentElement.dataset) return;
    event.preventDefault();
    if (meant.matches("select, textarea, [role=region]")) meant.focus();
    else meant.click();
  });
}
