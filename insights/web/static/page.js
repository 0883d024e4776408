// All of churnwatch's script: filters apply at once, charts answer the pointer, the list says when there is something new. Pages work without it.
const root = document.documentElement;
root.classList.add("js");

document.addEventListener("change", (event) => {
  if (event.target.form?.classList.contains("filters")) event.target.form.requestSubmit();
});

const made = (name, text = "") => Object.assign(document.createElement(name), { textContent: text });
const tip = Object.assign(made("div"), { id: "tip", ariaHidden: "true" });
document.body.append(tip);
document.addEventListener("pointermove", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  tip.classList.toggle("on", Boolean(mark));
  if (!mark) return;
  // lines: a heading, then colour, name and value between tabs (insights/charts/svg.py); plain text, never markup
  const [head, ...rows] = mark.dataset.tip.split("\n");
  tip.replaceChildren(made("b", head), ...rows.map((row) => {
    const [colour, name, value = ""] = row.split("\t");
    const line = made("span"), swatch = made("i");
    swatch.style.background = `var(--${colour})`;
    line.append(swatch, made("span", name), made("b", value));
    return line;
  }));
  const x = event.clientX + 14;
  tip.style.left = `${x + tip.offsetWidth > innerWidth ? event.clientX - tip.offsetWidth - 14 : x}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
});
