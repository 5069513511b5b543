// Choosing many rows: all at once, and how many they are.
const all = document.querySelector("[data-choose-all]");
const told = document.querySelector("[data-chosen]");
const boxes = [...document.querySelectorAll('input[name="promise"], input[data-choose]')];

function count() {
  const chosen = boxes.filter((box) => box.checked).length;
  all.checked = chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  told.textContent = chosen ? `(${chosen})` : "(none yet)";
}

if (all) {
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  for (const box of boxes) box.addEventListener("change", count);
  count();
}
