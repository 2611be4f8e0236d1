// Where files go in: the upload page, and a step of the creator. Files go up as soon as they are chosen, one after the
// other, in pieces, each at the offset where the server says that the file ends so far, so that a lost connection, or a
// reloaded page, goes on from there. What is shown follows from `entries` and `busy` alone.

import { dropped, flattened } from "./drop.js";

const { link: HERE, piece, then } = document.getElementById("upload").dataset;
const PIECE = Number(piece);
const STALLED = 60_000; // milliseconds without progress after which a connection counts as lost
const LONGEST_PAUSE = 30; // seconds

const byId = (id) => document.getElementById(id);
const [page, list, total, status, doneButton] = ["upload", "files", "total", "status", "done"].map(byId);
const [picker, folder] = ["picker", "folder"].map(byId);
const entries = new Map(); // name → {name, size, file, offset, moving, begun, phase, words, row}
let busy = ""; // or "sending", or "finishing"

class Problem extends Error {} // the server has said no, in words
class Lost extends Error {} // no answer; worth another try

// ── Choosing ────────────────────────────────────────────────────────────────────────────────────────────────────────

function add(files, { pasted = false } = {}) {
  for (const file of files) {
    const known = entries.get(file.name);
    if (!pasted && known && same(known, file)) again(known, file);
    else pictured(entry(free(pasted ? stamped(file) : file.name), file.size, { file }));
  }
  send();
}

function same(known, file) {
  return known.size === file.size && (!known.file || known.file.lastModified === file.lastModified);
}

function again(known, file) {
  if (["here", "sending"].includes(known.phase)) return;
  Object.assign(known, { file, phase: "waiting", words: "" });
  pictured(known);
}

function entry(name, size, facts = {}) {
  const row = byId("row").content.firstElementChild.cloneNode(true);
  const made = { name, size, file: null, offset: 0, moving: 0, begun: false, phase: "waiting", words: "", row, ...facts };
  row.querySelector(".file").textContent = name;
  row.querySelector(".picture").dataset.ending = /\.(\w{1,4})$/.exec(name)?.[1] ?? "file";
  row.querySelector("progress").setAttribute("aria-label", name);
  row.querySelector(".remove").setAttribute("aria-label", `Remove ${name}`);
  row.querySelector(".remove").addEventListener("click", () => remove(made));
  entries.set(name, made);
  list.append(row);
  return made;
}

function pictured({ file, row }) { // shows the picture itself where the browser can
  if (!file.type.startsWith("image/")) return;
  const image = row.querySelector("img");
  image.onload = () => { image.hidden = false; URL.revokeObjectURL(image.src); };
  image.onerror = () => URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
}

function free(name) {
  const [, stem, end] = name.match(/^(.+?)(\.[^.]*)?$/s) ?? [null, name, ""];
  for (let number = 2, wished = name; ; number += 1) {
    if (!entries.has(wished)) return wished;
    wished = `${stem} (${number})${end ?? ""}`;
  }
}

function stamped(file) { // pasted pictures are all called the same
  return `pasted ${new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-")}.${file.type.split("/")[1] ?? "png"}`;
}

async function remove(gone) {
  if (gone.begun) {
    const answer = await fetch(`${HERE}/files/${encodeURIComponent(gone.name)}`, { method: "DELETE" }).catch(() => null);
    if (!answer?.ok) return say("It could not be removed. Try again.", { trouble: true });
  }
  entries.delete(gone.name);
  const next = gone.row.nextElementSibling ?? gone.row.previousElementSibling;
  gone.row.remove();
  draw();
  if (!busy) say(outcome());
  (next?.querySelector(".remove:enabled") ?? picker).focus();
}

// ── Sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function send() {
  draw();
  if (busy || !next()) return;
  busy = "sending";
  try {
    await looked;
    say("Sending …");
    while (next()) await sent(next());
    say(outcome());
  } catch (problem) {
    say(problem.message, { trouble: true });
  }
  busy = "";
  draw();
}

async function sent(one) {
  Object.assign(one, { phase: "sending", begun: true });
  try {
    await patiently(async () => {
      do {
        one.offset = await sendPiece(one);
        one.moving = 0;
        draw();
      } while (one.offset < one.size);
    }, () => Object.assign(one, { moving: 0 }));
    Object.assign(one, { phase: "here", words: "" });
  } catch (problem) {
    const file = problem.status === 400 || problem.status === 413; // others concern the whole link
    Object.assign(one, { phase: file ? "refused" : "waiting", words: file ? problem.message : "", moving: 0 });
    if (!file) throw problem;
  } finally {
    draw();
  }
}

async function sendPiece(one) {
  const slice = one.file.slice(one.offset, one.offset + PIECE);
  const bytes = await slice.arrayBuffer().catch(() => {
    throw Object.assign(new Problem("cannot be read (any more); choose it again, and zip a folder"), { status: 400 });
  });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer;
    const alive = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), STALLED); };
    request.upload.onprogress = (event) => { alive(); one.moving = event.loaded; draw(); };
    request.onabort = request.onerror = () => reject(new Lost());
    request.onload = () => {
      const offset = request.getResponseHeader("Upload-Offset");
      if (offset && (request.status < 300 || request.status === 409)) resolve(Number(offset));
      else reject(refused(request.status, request.responseText));
    };
    request.onloadend = () => clearTimeout(timer);
    request.open("PUT", `${HERE}/files/${encodeURIComponent(one.name)}`);
    request.setRequestHeader("Upload-Length", one.size);
    request.setRequestHeader("Upload-Offset", one.offset);
    alive();
    request.send(bytes);
  });
}

function refused(code, text) {
  if (code >= 500) return new Lost();
  let words = "";
  try { words = JSON.parse(text).detail; } catch { /* a proxy's own words are of no use */ }
  return Object.assign(new Problem(words || "The server does not take this."), { status: code });
}

async function patiently(work, lost = () => {}) { // again after a lost connection, with growing pauses
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
    }
    lost();
    draw();
    say(`The connection is lost; what has arrived stays. Trying again in ${pause} s …`, { trouble: true });
    await new Promise((resolve) => {
      setTimeout(resolve, pause * 1000);
      addEventListener("online", resolve, { once: true });
    });
    say("Going on …");
  }
}

async function asked(path, options) {
  const answer = await fetch(HERE + path, options).catch(() => { throw new Lost(); });
  if (!answer.ok) throw refused(answer.status, await answer.text());
  return answer.json();
}

// ── Finishing ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function finish() {
  busy = "finishing";
  draw();
  say("Handing everything on …");
  try {
    await patiently(() => asked("/confirm", { method: "POST" }));
    received(all("here").length);
  } catch (problem) {
    await look().catch(() => {}); // it would say the same
    say(problem.message, { trouble: true });
  }
  busy = "";
  send();
}

function received(count) {
  page.hidden = true;
  if (then) return location.assign(then);
  const end = byId("received");
  end.querySelector("h1").textContent = `Received: ${count} ${count === 1 ? "file" : "files"}`;
  end.hidden = false;
  end.focus();
}

async function look() { // what the server has
  const { files } = await patiently(() => asked("/files"));
  for (const { name, size, offset } of files) {
    if (!entries.has(name)) entry(name, size);
    const one = entries.get(name);
    const phase = offset === size ? "here" : one.file ? "waiting" : "partial";
    const words = phase === "partial" ? "choose it again to go on" : "";
    Object.assign(one, { offset, begun: true, phase, words });
  }
  say(outcome());
  draw();
}

// ── Showing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const all = (...phases) => [...entries.values()].filter((one) => phases.includes(one.phase));
const next = () => all("waiting")[0];
const ready = () => all("here").length > 0 && all("waiting", "sending", "partial").length === 0;
const sizes = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const share = (part, whole) => (whole ? Math.min(part / whole, 1) : 0);

function draw() {
  const coming = all("waiting", "sending", "here", "partial");
  const here = coming.reduce((sum, one) => sum + Math.min(one.offset + one.moving, one.size), 0);
  const whole = coming.reduce((sum, one) => sum + one.size, 0);
  for (const one of entries.values()) drawn(one);
  total.hidden = coming.length < 2;
  total.querySelector("progress").value = share(here, whole);
  total.querySelector(".sums").textContent = `${sizes(here)} of ${sizes(whole)} · ${Math.floor(100 * share(here, whole))} %`;
  doneButton.hidden = entries.size === 0;
  doneButton.disabled = Boolean(busy) || !ready();
}

function outcome() { // what there is to do now
  if (all("partial").length) return "Choose the unfinished files again, or remove them.";
  if (!ready()) return "";
  return `${all("refused").length ? "The other files are" : "Everything is"} here. Press Done, or add more.`;
}

function drawn(one) {
  const moved = one.offset + one.moving;
  const words = { sending: `${Math.floor(100 * share(moved, one.size))} %`, here: "✓ here" }[one.phase] ?? one.words;
  one.row.className = one.phase === "waiting" && moved ? "sending" : one.phase;
  one.row.querySelector(".note").textContent = [sizes(one.size), words].filter(Boolean).join(" · ");
  one.row.querySelector("progress").value = share(moved, one.size);
  one.row.querySelector(".remove").disabled = one.phase === "sending" || busy === "finishing";
}

function say(words, { trouble = false } = {}) {
  status.textContent = words;
  status.classList.toggle("trouble", trouble);
}

// ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────

function dropping() {
  const zone = document.querySelector(".drop");
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
  addEventListener("dragover", over(true));
  addEventListener("dragleave", over(false));
  addEventListener("drop", (event) => { over(false)(event); dropped(event.dataTransfer).then(add); });
  addEventListener("paste", (event) => add(event.clipboardData.files, { pasted: true }));
}

picker.addEventListener("change", () => { add([...picker.files]); picker.value = ""; });
folder.addEventListener("change", () => {
  add([...folder.files].map((file) => flattened(file, file.webkitRelativePath)));
  folder.value = "";
});
doneButton.addEventListener("click", finish);
addEventListener("beforeunload", (event) => { if (!page.hidden && (busy || ready())) event.preventDefault(); });
const looked = look().catch((problem) => say(problem.message, { trouble: true })); // later it would undo what was sent
dropping();
byId("sending").hidden = false;
