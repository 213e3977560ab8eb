// Chapter 4.3: from a generator of typeset letters to one of handwritten digits, by mixing their weights.
"use strict";

globalThis.Live ??= {};
(Live.pieces ??= {}).interpolate = async (piece) => {
  const { nets, element, slider, paint } = Live;
  const { letters, digits } = Live.data.pair;
  const kernels = await nets.unpack(letters);
  const source = { kernels, layers: letters.layers };
  const target = { kernels: await nets.unpack(digits, kernels), layers: digits.layers };

  const COLUMNS = 4, ROWS = 3, LATENT = 64;
  const canvas = element("canvas", {
    class: "live-canvas", width: 33 * COLUMNS - 1, height: 33 * ROWS - 1, role: "img", style: "width: 300px",
  });
  const state = { seed: 1, t: 0, ahead: 1 };

  function draw() {
    const net = nets.mixGenerators(source, target, state.t);
    for (let i = 0; i < COLUMNS * ROWS; i++) {
      const image = nets.generate(net, nets.normals(state.seed * 100 + i, LATENT));
      paint(canvas, image, { left: 33 * (i % COLUMNS), top: 33 * Math.floor(i / COLUMNS) });
    }
  }
  const percent = (t) => `${Math.round(100 * t)} % of the way from letters to digits`;
  const describe = () => canvas.setAttribute("aria-label", `Twelve images of a generator ${percent(state.t)}`);
  const change = () => (draw(), describe());

  const way = slider("weights", {
    min: 0, max: 1, step: 0.01, value: 0, said: percent,
    oninput: (t) => (player.pause(), (state.t = t), change()),
  });
  const button = element("button", { type: "button" });
  const others = element("button", { type: "button", onclick: () => (state.seed++, change()) }, "Other latent vectors");
  piece.prepend(
    element("div", { class: "live-stage" },
      canvas,
      element("div", { class: "live-controls" },
        way.label,
        element("div", { class: "live-row live-ends" }, element("span", {}, "letters"), element("span", {}, "digits")),
        element("div", { class: "live-row" }, button, others),
      ),
    ),
  );
  const player = Live.player(piece, button, (seconds) => {
    state.t += (state.ahead * seconds) / 4;
    if (state.t <= 0 || state.t >= 1) state.ahead = state.t <= 0 ? 1 : -1;
    state.t = Math.min(1, Math.max(0, state.t));
    way.input.show(state.t);
    draw();
  });
  button.addEventListener("click", describe);
  change();
};
