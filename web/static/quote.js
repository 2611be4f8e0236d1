// A form with a live price: what does not fit is said beside its field too, and unsaid when it fits again.
document.addEventListener("htmx:after:swap", () => {
  const words = document.querySelector("#price [data-field]");
  for (const note of document.querySelectorAll("small.wrong")) note.remove();
  for (const field of document.querySelectorAll("[aria-invalid]")) describe(field);
  const field = words?.dataset.field && document.getElementById(words.dataset.field);
  if (!field) return;
  const note = Object.assign(document.createElement("small"), { id: `${field.id}-wrong`, className: "wrong" });
  note.append(...words.cloneNode(true).childNodes);
  field.after(note);
  describe(field, note);
});

// A word that is offered goes into the prompt where one is typing.
document.addEventListener("click", (event) => {
  const word = event.target.closest?.("[data-word]");
  const text = document.getElementById("text");
  if (!word || !text) return;
  event.preventDefault();
  const before = text.value.slice(0, text.selectionStart), after = text.value.slice(text.selectionEnd);
  const gap = before && !before.endsWith(" ") ? " " : "";
  text.value = `${before}${gap}${word.dataset.word} ${after.trimStart()}`;
  text.focus();
  text.selectionStart = text.selectionEnd = before.length + gap.length + word.dataset.word.length + 1;
  text.dispatchEvent(new Event("input", { bubbles: true }));
});

function describe(field, note) {
  const ids = [note?.id, document.getElementById(`${field.id}-hint`)?.id].filter(Boolean);
  field.toggleAttribute("aria-invalid", false);
  if (note) field.setAttribute("aria-invalid", "true");
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}
