// Lays two pictures over each other with a divider, and zooms and moves all pictures of a pair together.
// Without it the pictures stand side by side. The view is kept in the address, so that it can be shared.

const MAX_ZOOM = 8;
const STEP = 0.1; // of the visible part, for arrow keys

for (const viewer of document.querySelectorAll("[data-viewer]")) start(viewer);

function start(viewer) {
  const view = read();
  const range = viewer.querySelector("[data-split] input");

  const change = (changes) => {
    Object.assign(view, changes);
    show(viewer, view, range);
    keep(view);
  };
  range.addEventListener("input", () => change({ at: Number(range.value) }));
  for (const button of viewer.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => change({ mode: button.dataset.mode }));
  }
  const zooms = { in: () => view.zoom * 1.5, out: () => view.zoom / 1.5, reset: () => 1 };
  for (const button of viewer.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => change({ zoom: zooms[button.dataset.zoom]() }));
  }
  for (const frame of viewer.querySelectorAll("[data-frame]")) {
    frame.tabIndex = 0;
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", frame.querySelector("img").alt);
    listen(frame, view, change);
  }
  show(viewer, view, range);
}

function listen(frame, view, change) {
  const keys = {
    "+": () => ({ zoom: view.zoom * 1.5 }),
    "=": () => ({ zoom: view.zoom * 1.5 }),
    "-": () => ({ zoom: view.zoom / 1.5 }),
    "0": () => ({ zoom: 1 }),
    ArrowLeft: () => ({ x: view.x - STEP / view.zoom }),
    ArrowRight: () => ({ x: view.x + STEP / view.zoom }),
    ArrowUp: () => ({ y: view.y - STEP / view.zoom }),
    ArrowDown: () => ({ y: view.y + STEP / view.zoom }),
  };
  frame.addEventListener("keydown", (event) => {
    const isArrow = event.key.startsWith("Arrow");
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey || (isArrow && view.zoom === 1)) return;
    event.preventDefault();
    change(keys[event.key]());
  });
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    change({ zoom: view.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15) });
  }, { passive: false });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const moves = view.zoom > 1;
    if (!moves && !(view.mode === "slider" && frame.dataset.frame === "")) return;
    frame.setPointerCapture(event.pointerId);
    const box = frame.getBoundingClientRect();
    const from = { x: event.clientX, y: event.clientY, viewX: view.x, viewY: view.y };
    const drag = (moved) => {
      if (!moves) return change({ at: Math.round((100 * (moved.clientX - box.left)) / box.width) });
      return change({
        x: from.viewX - (moved.clientX - from.x) / box.width / view.zoom,
        y: from.viewY - (moved.clientY - from.y) / box.height / view.zoom,
      });
    };
    if (!moves) drag(event);
    frame.addEventListener("pointermove", drag);
    const end = () => frame.removeEventListener("pointermove", drag);
    frame.addEventListener("pointerup", end, { once: true });
    frame.addEventListener("pointercancel", end, { once: true });
  });
}

function show(viewer, view, range) {
  view.zoom = clamp(view.zoom, 1, MAX_ZOOM);
  view.at = clamp(view.at, 0, 100);
  for (const axis of ["x", "y"]) view[axis] = clamp(view[axis], 0.5 / view.zoom, 1 - 0.5 / view.zoom);
  viewer.classList.toggle("is-beside", view.mode === "beside");
  viewer.classList.toggle("is-zoomed", view.zoom > 1);
  viewer.classList.toggle("is-near", view.zoom >= 4);
  range.value = view.at;
  for (const button of viewer.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === view.mode));
  }
  viewer.style.setProperty("--at", `${view.at}%`);
  viewer.style.setProperty("--zoom", view.zoom);
  viewer.style.setProperty("--x", `${100 * (0.5 - view.x * view.zoom)}%`);
  viewer.style.setProperty("--y", `${100 * (0.5 - view.y * view.zoom)}%`);
  if (view.zoom > 1) sharpen(viewer);
}

// Close up, small copies would show their own blur: load the originals, once.
function sharpen(viewer) {
  for (const figure of viewer.querySelectorAll("figure")) {
    const image = figure.querySelector("img");
    const original = figure.querySelector("figcaption a").getAttribute("href");
    if (image.getAttribute("src") === original) continue;
    image.removeAttribute("srcset");
    image.src = original;
  }
}

function read() {
  const query = new URLSearchParams(location.search);
  const number = (name, otherwise) => {
    const value = Number.parseFloat(query.get(name));
    return Number.isFinite(value) ? value : otherwise;
  };
  return {
    mode: query.get("mode") === "beside" ? "beside" : "slider",
    at: number("at", 50),
    zoom: number("zoom", 1),
    x: number("x", 0.5),
    y: number("y", 0.5),
  };
}

let waiting = 0;

// Browsers refuse too many changes of the address in a row; the last one counts.
function keep(view) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const query = new URLSearchParams(location.search);
    const set = (name, value, plain) => (value === plain ? query.delete(name) : query.set(name, value));
    set("mode", view.mode, "slider");
    set("at", view.at, 50);
    set("zoom", Math.round(view.zoom * 100) / 100, 1);
    for (const axis of ["x", "y"]) set(axis, view.zoom > 1 ? Math.round(view[axis] * 1000) / 1000 : 0.5, 0.5);
    history.replaceState(history.state, "", `?${query}${location.hash}`);
  }, 200);
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
