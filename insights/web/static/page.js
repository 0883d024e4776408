// All of churnwatch's script: filters apply at once, charts answer the pointer, the list says when there is something new. Pages work without it.
const root = document.documentElement;
root.classList.add("js");

document.addEventListener("change", (event) => {
  if (event.target.form?.classList.contains("filters")) event.target.form.requestSubmit();
});

const tip = Object.assign(document.createElement("div"), { id: "tip", ariaHidden: "true" });
document.body.append(tip);
document.addEventListener("pointermove", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  tip.classList.toggle("on", Boolean(mark));
  if (!mark) return;
  // "head|value name|value name": plain text, never markup
  const [head, ...rows] = mark.dataset.tip.split("|");
  const title = Object.assign(document.createElement("b"), { textContent: head });
  tip.replaceChildren(title, ...rows.map((row) => Object.assign(document.createElement("span"), { textContent: row })));
  const x = event.clientX + 14;
  tip.style.left = `${x + tip.offsetWidth > innerWidth ? event.clientX - tip.offsetWidth - 14 : x}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
});
