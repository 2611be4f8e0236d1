// What every page of the sandbox does: ask before what cannot be undone, close menus, send no form twice, show where one is.
{
  const here = document.querySelector(".bar [aria-current]"); // on a phone the navigation is wider than the screen
  here?.parentElement.scrollTo({ left: here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2 });
}
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.dataset.confirm && !confirm(button.dataset.confirm)) event.preventDefault();
  else if (event.target.method === "post" && !event.defaultPrevented) {
    setTimeout(() => { if (button) button.disabled = true; });
    addEventListener("pageshow", () => { if (button) button.disabled = false; }, { once: true });
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
});
