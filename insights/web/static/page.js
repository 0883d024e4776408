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

// What is being computed for the first time is asked for again until it is there.
if (document.querySelector("[data-computing]")) setTimeout(() => location.reload(), 1500);

// The list: how many are new, who came back, how many are ticked. It never moves by itself.
const list = document.querySelector("[data-stream]");
if (list) {
  const number = new Intl.NumberFormat(root.lang);
  const put = (words, n) => words.replace("{n}", number.format(n));
  const news = list.querySelector(".news"), link = news?.querySelector("a"), title = document.title;
  let stream, told = 0;

  const mark = async () => {
    const answer = await fetch(list.dataset.ended);
    if (!answer.ok) return;
    for (const [alert, cause] of Object.entries(await answer.json())) {
      list.querySelector(`[data-alert="${alert}"]`)?.setAttribute("data-ended", cause);
    }
  };
  const hear = ({ data }) => {
    const now = JSON.parse(data);
    if (link) {
      link.hidden = now.whole && !now.new;
      link.textContent = now.whole ? put(news.dataset.words, now.new) : news.dataset.again;
    }
    document.title = now.new ? `(${number.format(now.new)}) ${title}` : title;
    if (now.ended > told && list.dataset.ended) mark().catch(() => {});
    told = now.ended;
  };
  // a browser opens six connections to a server, so a tab that nobody sees gives its own back
  const listen = () => {
    stream?.close();
    stream = undefined;
    if (document.hidden) return;
    stream = new EventSource(list.dataset.stream);
    stream.onopen = () => (list.dataset.live = "yes");
    stream.onerror = () => (list.dataset.live = "no");
    stream.addEventListener("changed", hear);
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pageshow", listen);
  addEventListener("pagehide", () => stream?.close());

  const ticks = [...list.querySelectorAll("[name=alert]")], every = list.querySelector("[data-all]"), count = list.querySelector("output");
  const counted = () => {
    const n = ticks.filter((one) => one.checked).length;
    if (!every) return;
    every.checked = n === ticks.length;
    every.indeterminate = n > 0 && n < ticks.length;
    count.textContent = n ? put(count.dataset.words, n) : "";
    for (const button of list.querySelectorAll("button[name=as]")) button.disabled = !n;
  };
  every?.addEventListener("change", () => (ticks.forEach((one) => (one.checked = every.checked)), counted()));
  list.addEventListener("change", counted);
  counted();
}
