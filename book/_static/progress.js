// What a reader has read and solved, kept in this browser only: nothing is sent. Without scripts the pages do without.
// A page's record is {read, solved: [names], of: how many can be solved}, under its path without the ending.
(() => {
  "use strict";
  const KEY = "transfer-gan-book.progress";
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const name = (url) => decodeURI(new URL(url, location.href).pathname).replace(/\.html$/, "");
  const path = (url) => name(url).slice(name(root).length);
  const here = path(location.href);
  const record = () => (pages[here] ??= { read: false, solved: [], of: 0 });
  const sentence = (of) =>
    [of.read && "read", of.of && `${of.solved.length} of ${of.of} solved`].filter(Boolean).join(", ");

  const valid = (value) => {
    const ok = ([page, of]) => page && of && typeof of.read === "boolean" && Number.isInteger(of.of) &&
      Array.isArray(of.solved) && of.solved.every((name) => typeof name === "string");
    return Boolean(value) && !Array.isArray(value) && typeof value === "object" && Object.entries(value).every(ok);
  };
  let kept = true; // false where the browser refuses to store anything
  const load = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) || "{}");
      return valid(found) ? found : {};
    } catch (error) {
      kept = error instanceof SyntaxError; // damaged, or refused
      return {};
    }
  };
  let pages = load();
  const save = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify(pages));
    } catch {
      kept = false;
    }
    show();
  };

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // --- what can be ticked on a page
  const boxes = []; // pairs of a box and its state in the record
  const tick = (text, state, change) => {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => (change(box.checked), save()));
    boxes.push([box, state]);
    return element("label", { className: "progress-tick" }, box, ` ${text}`);
  };
  const names = []; // of everything on this page that can be solved
  const has = (name) => Boolean(pages[here]?.solved.includes(name));
  const solve = (name, yes) => {
    const others = record().solved.filter((other) => other !== name);
    Object.assign(record(), { solved: yes ? [...others, name] : others, of: names.length });
  };
  const offer = (name, text) => {
    names.push(name);
    return tick(text, () => has(name), (yes) => solve(name, yes));
  };

  const prepare = () => {
    for (const exercise of document.querySelectorAll(".exercise[id]"))
      exercise.append(offer(exercise.id, "I have solved this exercise"));
    for (const fold of document.querySelectorAll("details.sd-dropdown")) {
      const title = fold.querySelector("summary").textContent.trim();
      if (title.startsWith("Quick question"))
        fold.append(offer(title.slice(0, 80), "I had this right"));
    }
    // A quiz (helpers.book.widgets.quiz) is solved by opening the right choice, or by giving the right number.
    for (const question of document.querySelectorAll(".quiz li")) {
      const name = question.querySelector("p").textContent.trim().slice(0, 80), form = question.querySelector("form");
      const label = offer(name, "solved"), box = label.querySelector("input");
      const right = () => has(name) || (solve(name, true), save());
      question.append(label);
      if (form)
        form.addEventListener("submit", () => setTimeout(() => {
          if ([...form.querySelectorAll("p:not([hidden])")].some((p) => p.textContent.startsWith("✓"))) right();
        }));
      else
        for (const choice of question.querySelectorAll("details"))
          choice.addEventListener("toggle", () => choice.open && choice.textContent.includes("✓ ") && right());
    }
    const end = document.querySelector("footer.prev-next-footer");
    const listed = [...document.querySelectorAll("nav.bd-links a.internal")].some((link) => path(link.href) === here);
    if (end && listed && !document.querySelector(".progress-panel"))
      end.before(tick("I have read this page", () => Boolean(pages[here]?.read),
        (yes) => Object.assign(record(), { read: yes, of: names.length })));
  };

  // --- the marks beside links, on the cover and in the side bar
  const show = () => {
    for (const [box, state] of boxes) box.checked = state();
    for (const mark of document.querySelectorAll(".progress-mark")) mark.remove();
    const chapters = document.querySelector(".progress-panel")?.parentElement.querySelectorAll("table a.internal") ?? [];
    for (const link of [...document.querySelectorAll("nav.bd-links a.internal"), ...chapters]) {
      const of = pages[path(link.href)];
      if (!of || !(of.read || of.solved.length)) continue;
      const text = (of.read ? " ✓" : "") + (of.of ? ` ${of.solved.length}/${of.of}` : "");
      link.append(element("span", { className: "progress-mark", title: sentence(of) },
        element("span", { ariaHidden: "true" }, text),
        element("span", { className: "visually-hidden" }, ` (${sentence(of)})`)));
    }
    const all = Object.values(pages), solved = all.reduce((sum, of) => sum + of.solved.length, 0);
    for (const line of document.querySelectorAll(".progress-panel [role=status]"))
      line.textContent = `Pages read: ${all.filter((of) => of.read).length}. Exercises and questions solved: ${solved}.` +
        (kept ? "" : " This browser refuses to keep it: it is lost when you leave the page.");
  };

  // --- the panel on the cover
  const panel = (place) => {
    const file = element("input", { type: "file", accept: ".json,application/json", hidden: true });
    const button = (text, action) => {
      const made = element("button", { type: "button" }, text);
      made.addEventListener("click", action);
      return made;
    };
    const status = element("p", {});
    status.setAttribute("role", "status");
    file.addEventListener("change", async () => {
      let given = null;
      try {
        given = JSON.parse(await file.files[0].text());
      } catch {} // no JSON
      file.value = "";
      if (!valid(given)) return void (status.textContent = "This file holds no progress that was exported here.");
      for (const [page, of] of Object.entries(given)) {
        const mine = pages[page] || { read: false, solved: [], of: 0 };
        const solved = [...new Set([...mine.solved, ...of.solved])];
        pages[page] = { read: mine.read || of.read, solved, of: Math.max(mine.of, of.of) };
      }
      save();
    });
    const give = () => {
      const url = URL.createObjectURL(new Blob([JSON.stringify(pages, null, 1)], { type: "application/json" }));
      element("a", { href: url, download: "progress.json" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    };
    const reset = () => confirm("Forget which pages you have read and what you have solved?") && ((pages = {}), save());
    const buttons = [button("Export", give), button("Import", () => file.click()), button("Reset", reset)];
    place.append(status, ...buttons, file);
  };

  document.querySelectorAll(".progress-panel").forEach(panel);
  prepare();
  show();
  addEventListener("storage", (event) => event.key === KEY && ((pages = load()), show())); // another tab
})();
