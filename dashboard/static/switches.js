// The switches of the day, when somebody else turned one: put in place at once, except while this reader is at
// them. A switch that turned just now must not lie under a finger that is about to press it.
const stream = document.getElementById("stream");
const here = () => document.getElementById("switches");
let waiting = null;

const busy = () => here().matches(":hover") || here().contains(document.activeElement);

function settle() {
  if (!waiting || busy()) return;
  here().replaceWith(waiting);
  waiting = null;
}

stream.addEventListener("switches", (event) => {
  const parsed = new DOMParser().parseFromString(event.detail.data, "text/html");
  waiting = document.adoptNode(parsed.getElementById("switches"));
  settle();
});

for (const name of ["pointerover", "focusout"]) document.addEventListener(name, () => setTimeout(settle));
document.documentElement.addEventListener("pointerleave", settle);
