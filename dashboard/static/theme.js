// Light, dark, or as the system says. Kept in a cookie so that the server sends the right page at once.
const root = document.documentElement;
root.dataset.script = "on";
const dark = matchMedia("(prefers-color-scheme: dark)");

function shown() {
  return root.dataset.theme || (dark.matches ? "dark" : "light");
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = shown() === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = `surgeline_theme=${next}; path=/; max-age=31536000; samesite=lax`;
  });
}
