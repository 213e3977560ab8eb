// Chapter 4.1: draw a digit; the network from scratch, the linear probe and the fine-tuned network read it.
"use strict";

globalThis.Live ??= { pieces: {} }; // node has no page
Live.strokes = (() => {
  const SIDE = 32, BOX = 20; // MNIST: a digit fits into 20×20 pixels; the book's frame has 32×32
  const PEN = 1.1; // half of a stroke's width, in pixels of the frame

  // Lines of points [x, y] of any size → the image of 32×32 values from 0 to 1 that MNIST would have made of them: the
  // longer side becomes 20 pixels, and the centre of mass comes to the middle. The lines are scaled and not their
  // pixels, so a small digit does not get a thick pen.
  function image(lines) {
    const points = lines.flat();
    if (!points.length) return new Float32Array(SIDE * SIDE);
    const [left, top] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
    const [right, bottom] = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])));
    const scale = (BOX - 2 * PEN) / Math.max(right - left, bottom - top, 1);
    const placed = (dx, dy) => lines.map((line) => line.map(([x, y]) => [(x - left) * scale + dx, (y - top) * scale + dy]));
    const first = raster(placed(PEN, PEN));
    let ink = 0, massX = 0, massY = 0;
    first.forEach((value, i) => {
      ink += value;
      massX += value * (i % SIDE);
      massY += value * Math.floor(i / SIDE);
    });
    const middle = (SIDE - 1) / 2;
    return raster(placed(PEN + middle - massX / ink, PEN + middle - massY / ink));
  }

  // A pixel is as white as the pen covers it: its centre's distance to the nearest piece of a line decides.
  function raster(lines) {
    const pixels = new Float32Array(SIDE * SIDE);
    for (const line of lines) {
      for (let s = 0; s < Math.max(1, line.length - 1); s++) {
        const [ax, ay] = line[s], [bx, by] = line[Math.min(s + 1, line.length - 1)];
        const [vx, vy] = [bx - ax, by - ay];
        const squared = vx * vx + vy * vy || 1;
        const reach = PEN + 1;
        for (let y = Math.max(0, Math.floor(Math.min(ay, by) - reach)); y <= Math.min(SIDE - 1, Math.max(ay, by) + reach); y++) {
          for (let x = Math.max(0, Math.floor(Math.min(ax, bx) - reach)); x <= Math.min(SIDE - 1, Math.max(ax, bx) + reach); x++) {
            const t = Math.min(1, Math.max(0, ((x - ax) * vx + (y - ay) * vy) / squared));
            const distance = Math.hypot(x - ax - t * vx, y - ay - t * vy);
            const white = Math.min(1, Math.max(0, PEN + 0.5 - distance));
            if (white > pixels[y * SIDE + x]) pixels[y * SIDE + x] = white;
          }
        }
      }
    }
    return pixels;
  }

  return { image };
})();

Live.pieces.draw = async (body) => {
  const { nets, element, button, percent, paint } = Live;
  const { mean, std, accuracy, digits, labels } = Live.data.readers;
  const letters = await nets.unpack(Live.data.probe); // the frozen body is the pretrained one
  const readers = [
    ["scratch", "From scratch", Live.data.scratch, await nets.unpack(Live.data.scratch)],
    ["probe", "Linear probe", Live.data.probe, letters],
    ["fine-tune", "Fine-tuned", Live.data.tuned, await nets.unpack(Live.data.tuned, letters)],
  ].map(([arm, title, { biases }, kernels]) => ({ title, accuracy: accuracy[arm], kernels, biases, mean, std }));
  const examples = nets.bytesOf(digits);

  const SIZE = 256; // of the drawing area, in its own units
  const canvas = element("canvas", {
    class: "live-pixels", width: SIZE, height: SIZE, tabindex: 0, role: "application", style: "width: 256px",
    "aria-label": "Drawing area. The arrow keys move the pen, Space puts it down or lifts it, Delete clears.",
  });
  const small = element("canvas", { class: "live-pixels", width: 32, height: 32, role: "img", style: "width: 64px" });
  const status = element("p", { class: "live-status", role: "status" });
  const state = { lines: [], line: null, example: -1, shown: null, pen: [SIZE / 2, SIZE / 4], down: false, waiting: false };

  // --- what the readers say --------------------------------------------------------------------------

  const heads = readers.map(({ title, accuracy }) => {
    const guess = element("p", { class: "live-guess" }, "–");
    const read = element("small", {}, `${Math.round(1000 * accuracy) / 10} % of test digits`);
    return { guess, cell: element("th", { scope: "col" }, title, read, guess) };
  });
  const bars = Array.from({ length: 10 }, () => readers.map(() => element("span", { class: "live-bar" }, element("span"))));
  const table = element("table", { class: "live-readings" },
    element("thead", {}, element("tr", {}, element("td"), ...heads.map(({ cell }) => cell))),
    element("tbody", {}, ...bars.map((row, digit) =>
      element("tr", {}, element("th", { scope: "row" }, `${digit}`), ...row.map((bar) => element("td", {}, bar))),
    )),
  );

  function read() {
    state.waiting = false;
    const empty = !state.shown && !state.lines.length;
    const image = state.shown ?? Live.strokes.image(state.lines);
    paint(small, image, { low: 0 });
    readers.forEach((reader, r) => {
      const probabilities = empty ? Array(10).fill(0) : nets.classify(reader, image);
      const best = probabilities.indexOf(Math.max(...probabilities));
      reader.said = `${best}, ${percent(probabilities[best])}`;
      heads[r].guess.textContent = empty ? "–" : reader.said;
      probabilities.forEach((probability, digit) => {
        bars[digit][r].style.setProperty("--share", probability);
        bars[digit][r].firstChild.textContent = percent(probability);
      });
    });
    return empty;
  }
  // Told when a stroke has ended, not while it is drawn.
  function tell() {
    const empty = read();
    const what = state.shown ? `Test digit, labelled ${labels[state.example]}.` : "Your drawing.";
    const said = readers.map(({ title, said }) => `${title}: ${said}`).join("; ");
    status.textContent = empty ? "Nothing is drawn yet." : `${what} ${said}.`;
    small.setAttribute("aria-label",
      empty ? "An empty image of 32 by 32 pixels" : "What the networks see: the digit, scaled to 20 pixels and centred in 32");
  }
  function show() {
    const pencil = canvas.getContext("2d");
    pencil.fillStyle = "#000";
    pencil.fillRect(0, 0, SIZE, SIZE);
    if (state.shown) {
      pencil.imageSmoothingEnabled = false;
      pencil.drawImage(small, 0, 0, SIZE, SIZE);
    }
    Object.assign(pencil, { strokeStyle: "#fff", lineWidth: 18, lineCap: "round", lineJoin: "round" });
    for (const line of state.lines) {
      pencil.beginPath();
      pencil.moveTo(...line[0]);
      line.forEach((point) => pencil.lineTo(...point));
      pencil.stroke();
    }
    if (document.activeElement === canvas && state.keys) {
      Object.assign(pencil, { strokeStyle: state.down ? "#f80" : "#8cf", lineWidth: 3 });
      pencil.beginPath();
      pencil.arc(...state.pen, 9, 0, 2 * Math.PI);
      pencil.stroke();
    }
  }
  // At most one reading for each picture of the screen, however many points the mouse sends.
  function changed() {
    show();
    if (state.waiting) return;
    state.waiting = true;
    requestAnimationFrame(read);
  }
  function clear() {
    Object.assign(state, { lines: [], line: null, shown: null, down: false });
    tell();
    show();
  }

  // --- mouse, finger, pen ------------------------------------------------------------------------------

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
  };
  const begin = (point) => {
    if (state.shown) Object.assign(state, { shown: null, lines: [] });
    state.lines.push((state.line = [point]));
  };
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    Object.assign(state, { keys: false, down: false });
    begin(place(event));
    changed();
  };
  canvas.onpointermove = (event) => {
    if (!state.line || !canvas.hasPointerCapture(event.pointerId)) return;
    state.line.push(place(event));
    changed();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!state.line || state.down) return;
    state.line = null;
    tell();
  };

  // --- keyboard ------------------------------------------------------------------------------------------

  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.onkeydown = (event) => {
    const move = MOVES[event.key];
    if (!move && ![" ", "Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault(); // the page would scroll
    state.keys = true;
    if (move) {
      const far = event.shiftKey ? 4 : 12;
      state.pen = state.pen.map((value, axis) => Math.min(SIZE - 10, Math.max(10, value + far * move[axis])));
      if (state.down) state.line.push(state.pen);
      changed();
    } else if (event.key === " ") {
      state.down = !state.down;
      if (state.down) begin(state.pen);
      else state.line = null;
      tell();
      show();
    } else clear();
  };
  canvas.onfocus = canvas.onblur = show;

  function example() {
    clear();
    state.example = (state.example + 1) % labels.length;
    const start = 1024 * state.example;
    state.shown = Float32Array.from(examples.subarray(start, start + 1024), (grey) => grey / 255);
    tell();
    show();
  }
  body.append(
    element("div", { class: "live-panels" },
      element("div", { class: "live-desk" },
        canvas,
        element("div", { class: "live-row" }, button("Clear", clear), button("Show a test digit", example)),
        element("div", { class: "live-row" }, small, element("small", {}, "what the networks see")),
      ),
      table,
    ),
    status,
  );
  clear();
};
