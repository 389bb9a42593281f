// Sends an archive in parts that a broken line, or a page that was left, does not lose.
// Without it, or without a safe line, the form sends the file whole.

const API = "/api/v1/uploads/";
const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds between tries
const LARGEST = 2 ** 31 - 1; // browsers hash a file at once, in memory

const form = document.querySelector("form[data-upload]");
const panel = document.getElementById("sending");
const problem = document.getElementById("upload-problem");
const texts = JSON.parse(problem?.dataset.texts ?? "{}");
if (form && globalThis.crypto?.subtle && globalThis.DecompressionStream) start();

function start() {
  const { archive, upload } = form.elements;
  archive.addEventListener("change", () => { upload.value = ""; });
  addEventListener("pageshow", () => { // also when somebody comes back to it
    archive.disabled = false;
    setBusy(false);
  });
  form.addEventListener("submit", async (event) => {
    const file = archive.files[0];
    if (!file || file.size > LARGEST) return;
    event.preventDefault();
    setBusy(true);
    try {
      upload.value = await send(file);
      archive.disabled = Boolean(upload.value);
      form.submit();
    } catch (error) {
      setBusy(false);
      tell(error);
    }
  });
}

async function send(file) {
  say(texts.reading);
  const manifest = await readManifest(file).catch(() => null);
  if (!manifest) return ""; // the server says what is wrong with such a file
  const sha256 = [...(await digest(file))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const known = (await ask("?limit=100")).results;
  const found = known.find((one) => one.sha256 === sha256 && one.size === file.size && one.state !== "rejected");
  let now = found ?? (await ask("", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ kind: "archive", size: file.size, sha256, manifest }),
  }));
  for (const offset of now.missing) {
    show(now, file.size);
    const part = file.slice(offset, offset + now.part_bytes);
    const sum = btoa(String.fromCharCode(...(await digest(part))));
    now = await ask(`${now.id}/parts/${offset}/`, {
      method: "PUT",
      headers: { "Content-Type": "application/octet-stream", "Content-Digest": `sha-256=:${sum}:` },
      body: part,
    });
  }
  show(now, file.size);
  if (now.state === "open") now = await ask(`${now.id}/finish/`, { method: "POST" });
  say(texts.checking);
  return now.id;
}

async function digest(blob) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
}

// Asks until there is an answer; only what the server refuses ends it.
async function ask(path, { headers, ...options } = {}) {
  const token = form.elements.csrfmiddlewaretoken.value;
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(API + path, { ...options, headers: { "X-CSRFToken": token, ...headers } }).catch(() => null);
    if (answer?.ok) return answer.json();
    if (answer && answer.status < 500 && answer.status !== 429) throw (await answer.json()).error;
    const seconds = Number(answer?.headers.get("Retry-After")) || PAUSES[Math.min(tries, PAUSES.length - 1)];
    say(texts.waiting.replace("{n}", seconds));
    await new Promise((resolve) => {
      addEventListener("online", resolve, { once: true });
      setTimeout(resolve, 1000 * seconds);
    });
  }
}

// Finds manifest.json by the table at the end of a zip.
async function readManifest(file) {
  const view = async (from, to) => new DataView(await file.slice(from, to).arrayBuffer());
  const tail = await view(Math.max(0, file.size - 65558), file.size);
  let end = tail.byteLength - 22;
  while (tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  const start = tail.getUint32(end + 16, true);
  const table = await view(start, start + tail.getUint32(end + 12, true));
  for (let at = 0; table.getUint32(at, true) === 0x02014b50; ) {
    const length = table.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(table.buffer, at + 46, length));
    if (name === "manifest.json") {
      const from = table.getUint32(at + 42, true);
      const head = await view(from, from + 30);
      const begin = from + 30 + head.getUint16(26, true) + head.getUint16(28, true);
      const packed = file.slice(begin, begin + table.getUint32(at + 20, true)).stream();
      const isPacked = table.getUint16(at + 10, true) === 8;
      return new Response(isPacked ? packed.pipeThrough(new DecompressionStream("deflate-raw")) : packed).json();
    }
    at += 46 + length + table.getUint16(at + 30, true) + table.getUint16(at + 32, true);
  }
  return null;
}

function setBusy(isBusy) {
  panel.hidden = !isBusy;
  if (isBusy) problem.hidden = true;
  form.querySelector("button.button").disabled = isBusy;
}

function say(text) {
  panel.querySelector("[role=status]").textContent = text;
}

function show(now, size) {
  panel.querySelector("progress").value = now.received / size;
  const inMb = (bytes) => (bytes / 2 ** 20).toFixed(1);
  say(texts.sending.replace("{n}", inMb(now.received)).replace("{m}", inMb(size)));
}

function tell({ code = "", message = "", fix = "" }) {
  const [sentence, remedy] = texts.codes[code] ?? [texts.failed, ""];
  const lines = { code, sentence, detail: message === sentence ? "" : message, fix: remedy || fix };
  for (const [name, text] of Object.entries(lines)) {
    const place = problem.querySelector(`[data-${name}]`);
    place.textContent = text;
    place.closest("p, code").hidden = !text;
  }
  problem.hidden = false;
  problem.scrollIntoView({ block: "center" });
}
