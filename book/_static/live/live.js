// Brings the live pieces of a page to life, each when it comes near the window: a page without one loads nothing.
// <div class="live-piece" data-live="draw" data-scripts="nets readers scratch probe tuned draw"> holds a still picture and a caption. The
// scripts of the list are loaded in this order from this folder; the one named like the piece defines Live.pieces.draw.
"use strict";

(() => {
  if (globalThis.Live?.start) return; // two pieces of a page bring this script twice
  const folder = new URL(".", document.currentScript.src);
  const loading = {};
  globalThis.Live ??= {};
  Live.pieces ??= {};

  // A classic script, because a page that was opened from a file may neither import a module nor fetch.
  Live.load = (name) =>
    (loading[name] ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js`, folder);
      script.onload = done;
      script.onerror = () => failed(new Error(`${name}.js could not be loaded`));
      document.head.append(script);
    }));

  // A quiet builder: element("button", {type: "button", onclick: …}, "Play", …).
  Live.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  // A range with its name before it and, where the value means something, `said(value)` for a screen reader.
  Live.slider = (name, { min, max, step, value, said, oninput }) => {
    const input = Live.element("input", { type: "range", min, max, step, value });
    const tell = () => said && input.setAttribute("aria-valuetext", said(+input.value));
    input.oninput = () => (tell(), oninput(+input.value));
    input.show = (to) => ((input.value = to), tell());
    tell();
    return { input, label: Live.element("label", {}, name, input) };
  };

  // 32×32 values from `low` to `high` → grey pixels of a canvas, at column `left` and row `top`.
  Live.paint = (canvas, values, { low = -1, high = 1, left = 0, top = 0 } = {}) => {
    const side = Math.sqrt(values.length);
    const pixels = new ImageData(side, side);
    for (let i = 0; i < values.length; i++) {
      const grey = (255 * (values[i] - low)) / (high - low);
      pixels.data.set([grey, grey, grey, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(pixels, left, top);
  };

  // Calls draw(seconds) again and again while it plays, the piece can be seen, and no more than 60 times a second.
  // Where the reader asked for less motion, nothing plays unless the button is pressed.
  Live.player = (piece, button, draw) => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let playing = false, seen = true, last = 0, frame = 0;
    const tick = (now) => {
      draw(Math.min(0.1, (now - last) / 1000)); // after a pause it goes on where it was
      last = now;
      frame = requestAnimationFrame(tick);
    };
    const update = () => {
      cancelAnimationFrame(frame);
      if (playing && seen) frame = requestAnimationFrame((now) => ((last = now), tick(now)));
      button.textContent = playing ? "Pause" : "Play";
    };
    new IntersectionObserver(([entry]) => ((seen = entry.isIntersecting), update())).observe(piece);
    const player = {
      play: () => ((playing = true), update()),
      pause: () => ((playing = false), update()),
    };
    button.onclick = () => (playing ? player.pause() : player.play());
    calm ? player.pause() : player.play();
    return player;
  };

  async function wake(piece) {
    const { live, scripts } = piece.dataset;
    try {
      for (const name of scripts.split(" ")) await Live.load(name);
      await Live.pieces[live](piece);
      piece.classList.add("live-awake"); // hides the still picture
    } catch (error) {
      console.warn(`The live piece "${live}" stays a picture: ${error.message}`);
    }
  }

  Live.start = () => {
    document.head.append(Live.element("link", { rel: "stylesheet", href: new URL("live.css", folder) }));
    const near = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => (near.unobserve(target), wake(target))),
      { rootMargin: "500px" },
    );
    document.querySelectorAll(".live-piece[data-live]").forEach((piece) => near.observe(piece));
  };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", Live.start) : Live.start();
})();
