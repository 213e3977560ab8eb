// Brings the live pieces of a page to life, each when it comes near the window: a page without one loads nothing.
// <div class="live-piece" data-live="draw" data-scripts="nets readers … draw"> holds a still picture and a caption.
// The scripts of the list are loaded in this order from this folder; the last defines Live.pieces.draw, a function that
// fills an empty element. A piece that cannot be loaded or built keeps its picture.
"use strict";

(() => {
  if (globalThis.Live) return; // two pieces of a page bring this script twice
  const folder = new URL(".", document.currentScript.src);
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // A quiet builder: element("button", {type: "button", onclick: …}, "Clear", …).
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // --- controls: those with a value are { node, value, set(value) }; `set` does not call `changed` ------------------

  let ids = 0;

  function labelled(text, input, ...output) {
    input.id = `live-${++ids}`;
    return element("div", { class: "live-control" }, element("label", { for: input.id }, text, " ", ...output), input);
  }

  // A slider over the given values (an array); `show(value)` is what the reader sees and hears of one.
  function slider(text, values, value, changed, show = String) {
    const output = element("strong");
    const input = element("input", { type: "range", min: 0, max: values.length - 1, step: 1 });
    const control = {
      node: labelled(text, input, output),
      set(wanted) {
        const gaps = values.map((v) => Math.abs(v - wanted));
        input.value = gaps.indexOf(Math.min(...gaps));
        tell();
      },
    };
    function tell() {
      control.value = values[input.value];
      output.textContent = show(control.value);
      input.setAttribute("aria-valuetext", show(control.value));
    }
    input.oninput = () => (tell(), changed(control.value));
    control.set(value);
    return control;
  }

  function choice(text, options, value, changed) {
    const select = element("select", {}, ...options.map((option) => element("option", { value: option }, option)));
    const control = { node: labelled(text, select), set: (wanted) => (select.value = control.value = wanted) };
    select.onchange = () => changed((control.value = select.value));
    control.set(value);
    return control;
  }

  const button = (text, onclick) => element("button", { type: "button", onclick }, text);

  // A row of named numbers; `set` takes their texts in the same order.
  function numbers(...names) {
    const places = names.map(() => element("strong"));
    const rows = names.map((name, i) => element("span", {}, element("span", {}, name), " ", places[i]));
    const set = (...texts) => texts.forEach((text, i) => (places[i].textContent = text));
    return { node: element("p", { class: "live-numbers" }, ...rows), set };
  }

  const range = (from, to, step) =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => Number((from + i * step).toFixed(6)));
  const minus = (text) => String(text).replace("-", "−");
  const fixed = (value, digits) => minus((Number(value.toFixed(digits)) || 0).toFixed(digits)); // no −0
  const percent = (share) => `${Math.round(100 * share)} %`;

  // --- motion --------------------------------------------------------------------------------------------------------

  // A button. While it plays and `node` can be seen, step(seconds) is called for each picture of the screen, and
  // turned(playing) when the reader or the step starts or stops it. Where less motion is asked for, it begins at rest.
  function player(node, step, { name = "Play", auto = !calm(), turned = () => {} } = {}) {
    let playing = auto, seen = true, last = 0, frame = 0;
    function tick(now) {
      frame = requestAnimationFrame(tick); // first, because the step may stop it
      const passed = Math.min(0.1, (now - last) / 1000); // after a pause it goes on where it was
      last = now;
      step(passed);
    }
    function update() {
      cancelAnimationFrame(frame);
      if (playing && seen) frame = requestAnimationFrame((now) => ((last = now), tick(now)));
      made.node.textContent = playing ? "Pause" : name;
    }
    function turn(to) {
      if (to === playing) return;
      playing = to;
      update();
      turned(playing);
    }
    const made = { node: button(name, () => turn(!playing)), play: () => turn(true), pause: () => turn(false) };
    new IntersectionObserver(([entry]) => ((seen = entry.isIntersecting), update())).observe(node);
    update();
    return made;
  }

  // A slider from 0 to 1, and a player that moves it there and back, each way in `seconds`. `draw` follows it; `told` is
  // called for the reader's own moves only, because a screen reader would not stop talking.
  function walk(node, text, seconds, draw, told) {
    let t = 0, ahead = 1;
    function moved(to) {
      play.pause();
      t = to;
      draw();
      told();
    }
    function step(passed) {
      t = Math.min(1, Math.max(0, t + (ahead * passed) / seconds));
      if (t === 0 || t === 1) ahead = t ? -1 : 1;
      way.set(t);
      draw();
    }
    const way = slider(text, range(0, 1, 0.01), 0, moved, percent);
    const play = player(node, step, { turned: told });
    return { way, play };
  }

  // 32×32 values from `low` to `high` → grey pixels of a canvas, at column `left` and row `top`.
  function paint(canvas, values, { low = -1, high = 1, left = 0, top = 0 } = {}) {
    const side = Math.sqrt(values.length), pixels = new ImageData(side, side);
    for (let i = 0; i < values.length; i++) {
      const grey = (255 * (values[i] - low)) / (high - low);
      pixels.data.set([grey, grey, grey, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(pixels, left, top);
  }

  // --- loading -------------------------------------------------------------------------------------------------------

  // A classic script, because a page that was opened from a file may neither import a module nor fetch.
  const loading = {};
  const load = (file) =>
    (loading[file] ??= new Promise((onload, failed) => {
      const href = new URL(file, folder), onerror = () => failed(new Error(`${file} could not be loaded`));
      document.head.append(
        file.endsWith(".css")
          ? element("link", { rel: "stylesheet", href, onload, onerror })
          : element("script", { src: href, onload, onerror }),
      );
    }));

  async function wake(piece) {
    const { live, scripts } = piece.dataset, body = element("div", { class: "live-body" });
    try {
      for (const file of ["live.css", ...scripts.split(" ").map((name) => `${name}.js`)]) await load(file);
      await Live.pieces[live](body);
      piece.prepend(body);
      piece.classList.add("live-awake"); // hides the still picture
    } catch (error) {
      console.info(`The live piece "${live}" stays a picture: ${error.message}`);
    }
  }

  function start() {
    const near = new IntersectionObserver(
      (entries) =>
        entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => (near.unobserve(target), wake(target))),
      { rootMargin: "500px" },
    );
    document.querySelectorAll(".live-piece").forEach((piece) => near.observe(piece));
  }

  globalThis.Live = {
    pieces: {}, calm, element, slider, choice, button, numbers, range, minus, fixed, percent, player, walk, paint,
  };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
