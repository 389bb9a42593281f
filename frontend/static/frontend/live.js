// Keeps a page about a live run quiet: no questions while the tab is hidden, one announcement per change of state.

document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

document.addEventListener("htmx:afterSwap", () => {
  const state = document.getElementById("state");
  const progress = document.getElementById("progress");
  if (state && progress && state.textContent.trim() !== progress.dataset.label) {
    state.textContent = progress.dataset.label;
    state.className = `chip ${progress.dataset.state}`;
  }
  showEndOfLog();
});

function showEndOfLog() {
  const log = document.querySelector("#log .log");
  if (log) log.scrollTop = log.scrollHeight;
}

showEndOfLog();
