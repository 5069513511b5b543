// Choosing many rows: all at once, and how many they are. The rows may be put in place anew at any time.
const told = document.querySelector("[data-chosen]");
const boxes = () => [...document.querySelectorAll('input[name="promise"], input[data-choose]')];

function count() {
  const all = document.querySelector("[data-choose-all]");
  const those = boxes();
  const chosen = those.filter((box) => box.checked).length;
  if (all) {
    all.checked = chosen > 0 && chosen === those.length;
    all.indeterminate = chosen > 0 && chosen < those.length;
  }
  told.textContent = chosen ? `(${chosen})` : "(none yet)";
}

if (told) {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked;
    count();
  });
  document.addEventListener("owed:shown", count);
  count();
}
