// Single keys for those who like them: search, the board, the next picture, and the list of all of them.
// Pages leave this out where somebody has switched the keys off.

const PAIR_OF_KEYS_MS = 1500;
const TYPED_INTO = "input:not([type=range]), textarea, select, [contenteditable]";

const list = document.getElementById("key-list");
const keys = {
  "/": search,
  "?": () => list.showModal(),
  j: () => step(1),
  k: () => step(-1),
  "g l": () => list.dataset.board && location.assign(list.dataset.board),
};

let before = { key: "", at: 0 };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (list.open || event.target.closest?.(TYPED_INTO)) return;
  const isSoon = event.timeStamp - before.at < PAIR_OF_KEYS_MS;
  const act = (isSoon && keys[`${before.key} ${event.key}`]) || keys[event.key];
  before = { key: act ? "" : event.key, at: event.timeStamp };
  if (!act) return;
  event.preventDefault();
  act();
});

function search() {
  const field = document.querySelector("main input[type=search]");
  if (!field) return location.assign(list.dataset.search);
  field.focus();
  field.select();
}

// To the neighbour of a page that has one; elsewhere from picture to picture.
function step(by) {
  if (document.querySelector("a[rel=next], a[rel=prev]")) {
    document.querySelector(by > 0 ? "a[rel=next]" : "a[rel=prev]")?.click();
    return;
  }
  const pictures = [...document.querySelectorAll("main a:has(img)")];
  pictures[Math.max(0, pictures.indexOf(document.activeElement) + by)]?.focus();
}
