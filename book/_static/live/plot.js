// What pieces with axes share: a canvas that follows the theme and the page's width, and simple drawing on it.
"use strict";

Live.plot = (() => {
  const { element, minus } = Live;

  // The colours of the page as it is now: live.css defines them for light and dark.
  function colours(node) {
    const style = getComputedStyle(node), of = (name) => style.getPropertyValue(`--live-${name}`).trim();
    const names = ["text", "muted", "line", "ground", "blue", "orange", "green", "purple"];
    return Object.fromEntries(names.map((name) => [name, of(name)]));
  }

  // A canvas as wide as its place, `ratio(width)` times as high. `draw(context, width, height, colours)` is called, in
  // CSS pixels, whenever the size or the theme changes, and by `redraw`. `describe` gives it its words.
  function canvas(ratio, draw, attributes = {}) {
    const node = element("canvas", { class: "live-plot", role: "img", ...attributes });
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
  function axes(context, colour, { box, x, y, xticks = [], yticks = [], title = "", xlabel = "", show }) {
    const [left, top, width, height] = box, right = left + width, bottom = top + height;
    const X = (v) => left + ((v - x[0]) / (x[1] - x[0])) * width;
    const Y = (v) => bottom - ((v - y[0]) / (y[1] - y[0])) * height;
    const plain = (v) => minus(v.toLocaleString("en"));
    context.strokeStyle = colour.line;
    context.lineWidth = 1;
    for (const v of yticks) stroke(context, [[left, Y(v)], [right, Y(v)]]);
    stroke(context, [[left, top], [left, bottom], [right, bottom]]);
    context.fillStyle = colour.muted;
    for (const v of xticks) write(context, plain(v), X(v), bottom + 15, "center");
    for (const v of yticks) write(context, (show ?? plain)(v), left - 6, Y(v) + 4, "right");
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

  function disc(context, x, y, radius) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
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

  // A curve through points [x, y], in the values of the axes.
  function curve(context, place, points, colour, dash = []) {
    context.strokeStyle = colour;
    context.lineWidth = 1.8;
    context.setLineDash(dash);
    inside(context, place, () => stroke(context, points.map(([x, y]) => [place.X(x), place.Y(y)])));
    context.setLineDash([]);
  }

  return { canvas, axes, write, ends, stroke, disc, inside, curve };
})();
