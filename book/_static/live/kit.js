// What the live pieces share: controls, a canvas that follows the theme and the page's width, and simple axes.
// A classic script without modules, so that a page opened from a file can load it.
"use strict";

// Two pieces on one page each load this file; the second time it changes nothing.
window.LiveKit = window.LiveKit || (() => {
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  // Every <div class="live-piece" data-live="name"> of the page gets what `build` makes of it. The still picture that
  // stands there is hidden only when that has succeeded.
  function mount(name, build) {
    const start = () => {
      for (const root of document.querySelectorAll(`.live-piece[data-live="${name}"]`)) {
        const body = element("div", { class: "live-body" });
        root.append(body);
        try {
          build(body);
          root.classList.add("live-on");
        } catch (error) {
          body.remove();
          throw error;
        }
      }
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else start();
  }

  // --- controls: each is { node, value, set(value) }; `set` does not call `changed` --------------------------------

  let ids = 0;

  function labelled(text, input, output) {
    input.id = `live-${++ids}`;
    const label = element("label", { for: input.id }, text);
    if (output) label.append(" ", output);
    return element("div", { class: "live-control" }, label, input);
  }

  // A slider over the given values (an array).
  function slider(text, values, value, changed, show = String) {
    const input = element("input", { type: "range", min: 0, max: values.length - 1, step: 1 });
    const output = element("strong");
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
    input.addEventListener("input", () => (tell(), changed(control.value)));
    control.set(value);
    return control;
  }

  function choice(text, options, value, changed) {
    const select = element("select", {}, ...options.map((o) => element("option", { value: o }, o)));
    const control = {
      node: labelled(text, select),
      set(wanted) {
        select.value = control.value = wanted;
      },
    };
    select.addEventListener("change", () => changed((control.value = select.value)));
    control.set(value);
    return control;
  }

  const button = (text, clicked) => element("button", { type: "button", onclick: clicked }, text);

  // A row of named numbers; `set` takes their texts in the same order.
  function numbers(...names) {
    const places = names.map(() => element("strong"));
    const node = element("p", { class: "live-numbers" });
    names.forEach((name, i) => node.append(element("span", {}, element("span", {}, name), " ", places[i])));
    return { node, set: (...texts) => texts.forEach((text, i) => (places[i].textContent = text)) };
  }

  const range = (from, to, step) =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => Number((from + i * step).toFixed(6)));

  // --- drawing -----------------------------------------------------------------------------------------------------

  // The colours of the page as it is now: live2.css defines them for light and dark.
  function colours(node) {
    const style = getComputedStyle(node), of = (name) => style.getPropertyValue(`--live-${name}`).trim();
    const names = ["text", "muted", "line", "ground", "blue", "orange", "green", "purple"];
    return Object.fromEntries(names.map((name) => [name, of(name)]));
  }

  // A canvas as wide as its place; `ratio(width)` times that is its height. `draw(context, width, height, colours)` is called, in CSS
  // pixels, whenever the size or the theme changes, and by `redraw`. `words` describes the picture.
  function canvas(ratio, words, draw, attributes = {}) {
    const node = element("canvas", { class: "live-canvas", role: "img", "aria-label": words, ...attributes });
    const context = node.getContext("2d");
    let width = 0, height = 0;
    function redraw() {
      if (!width) return;
      const scale = window.devicePixelRatio || 1;
      if (node.width !== Math.round(width * scale)) {
        node.width = Math.round(width * scale);
        node.height = Math.round(height * scale);
      }
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, width, height);
      context.font = `12px ${getComputedStyle(node).fontFamily}`;
      context.lineJoin = "round";
      draw(context, width, height, colours(node));
    }
    new ResizeObserver(() => {
      const now = Math.floor(node.clientWidth);
      if (now === width) return;
      [width, height] = [now, Math.round(now * ratio(now))];
      node.style.height = `${height}px`;
      redraw();
    }).observe(node);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return { node, redraw, describe: (text) => node.setAttribute("aria-label", text) };
  }

  // Axes in the given place; returns functions from values to pixels, and the plot's inner box.
  function axes(context, colour, { box, x, y, xticks = [], yticks = [], title = "", xlabel = "", show = String }) {
    const [left, top, width, height] = box, right = left + width, bottom = top + height;
    const X = (v) => left + ((v - x[0]) / (x[1] - x[0])) * width;
    const Y = (v) => bottom - ((v - y[0]) / (y[1] - y[0])) * height;
    context.strokeStyle = colour.line;
    context.lineWidth = 1;
    for (const v of yticks) stroke(context, [[left, Y(v)], [right, Y(v)]]);
    stroke(context, [[left, top], [left, bottom], [right, bottom]]);
    context.fillStyle = colour.muted;
    for (const v of xticks) write(context, show(v, "x"), X(v), bottom + 15, "center");
    for (const v of yticks) write(context, show(v, "y"), left - 6, Y(v) + 4, "right");
    if (xlabel) write(context, xlabel, left + width / 2, bottom + 30, "center");
    context.fillStyle = colour.text;
    if (title) write(context, title, left, top - 9);
    return { X, Y, left, top, right, bottom, width, height };
  }

  // With `ground`, the text gets an outline of this colour, which keeps it readable over lines.
  function write(context, text, x, y, align = "left", ground = "") {
    context.textAlign = align;
    if (ground) {
      context.strokeStyle = ground;
      context.lineWidth = 4;
      context.strokeText(text, x, y);
    }
    context.fillText(text, x, y);
  }

  // Names at the ends of curves, each [text, x, y, colour], moved apart where they would cover each other.
  function ends(context, names) {
    let free = -Infinity;
    for (const [text, x, y, colour] of [...names].sort((a, b) => a[2] - b[2])) {
      const at = Math.max(y, free);
      free = at + 13;
      context.fillStyle = colour;
      write(context, text, x + 5, at + 4);
    }
  }

  function stroke(context, points) {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }

  // What `paint` draws is cut off at the box of the axes.
  function inside(context, place, paint) {
    context.save();
    context.beginPath();
    context.rect(place.left, place.top, place.width, place.height);
    context.clip();
    paint();
    context.restore();
  }

  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  return { element, mount, slider, choice, button, numbers, range, canvas, axes, write, ends, stroke, inside, calm };
})();
