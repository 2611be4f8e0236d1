// The caption editor by keys: j and k from picture to picture, Enter to write, Ctrl+Enter to save and go on.

const cards = () => [...document.querySelectorAll(".caption")];
const cardOf = (element) => element?.closest?.(".caption");
const textOf = (card) => card?.querySelector("textarea");
const help = document.getElementById("keys");
let here = ""; // the id of the card where one is: cards are replaced when they are saved

const MOVES = { j: 1, ArrowDown: 1, ArrowRight: 1, k: -1, ArrowUp: -1, ArrowLeft: -1 };
const MARKS = { a: "approved", r: "rejected", e: "needs_edit" };

function beside(card, by) {
  const all = cards();
  const at = all.indexOf(card);
  return at < 0 ? all[0] : all[at + by];
}

function go(card) {
  card?.focus();
  card?.scrollIntoView({ block: "nearest" });
}

function write(event, card) {
  const text = event.target;
  if (event.key === "Escape") {
    text.value = text.defaultValue;
    marked(text);
    go(card);
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    text.form.requestSubmit();
    const next = beside(card, 1);
    (textOf(next) ?? card).focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}

function walk(event, card) {
  const by = MOVES[event.key];
  if (by && (card || event.key.length === 1)) {
    event.preventDefault();
    go(beside(card, by));
  } else if (event.key === "Enter" && event.target === card) {
    event.preventDefault();
    textOf(card)?.focus();
  } else if (MARKS[event.key] && card) {
    card.querySelector(`button.mark.${MARKS[event.key]}`)?.click();
  } else if (event.key === "x") {
    card?.querySelector(".picking input")?.click();
  } else if (event.key === "?") {
    help.showModal();
  }
}

function marked(text) { // what is typed and not saved
  cardOf(text).classList.toggle("dirty", text.value !== text.defaultValue);
}

document.addEventListener("keydown", (event) => {
  if (help.open) return;
  const card = cardOf(event.target);
  if (event.target.matches("textarea")) write(event, card);
  else if (!event.target.matches("input, select") && !event.ctrlKey && !event.metaKey && !event.altKey) walk(event, card);
});
document.addEventListener("focusin", (event) => { here = cardOf(event.target)?.id ?? ""; });
document.addEventListener("input", (event) => { if (event.target.matches(".caption textarea")) marked(event.target); });
document.addEventListener("htmx:after:swap", () => { // what was replaced has lost the focus
  if (here && document.activeElement === document.body) go(document.getElementById(here));
});
addEventListener("beforeunload", (event) => { if (document.querySelector(".caption.dirty")) event.preventDefault(); });

const button = document.getElementById("help");
button.hidden = false;
button.addEventListener("click", () => help.showModal());
